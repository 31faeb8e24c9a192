# Copyright (c) mic_mm authors. All rights reserved.
"""Anchors, coder, overlaps, matching, suppression and pooling as recorded."""
import numpy as np
import pytest
import torch
from mmcv.ops import nms
from mmdet.models.task_modules.prior_generators import anchor_inside_flags

from mic_mm.det.geometry import (
    InclusiveBoxCoder,
    InclusiveOverlaps2D,
    InclusiveRoIExtractor,
    OwnBestAssigner,
    QuantizedAnchorGenerator,
)
from mic_mm.det.geometry.inclusive_boxes import box_area, clip_boxes
from mic_mm.testing.golden import load_golden

pytestmark = pytest.mark.golden
# Thresholds that the manifest gives in words only.
RPN, ROI = (0.7, 0.3), (0.5, 0.5)


@pytest.fixture(scope='module')
def case():
    return load_golden('det', 'geometry')


def array(case, name):
    return torch.from_numpy(case[name])


def anchor_generator(config):
    scale, = {
        size // stride
        for size, stride in zip(config['anchor_sizes'], config['strides'])
    }
    return QuantizedAnchorGenerator(
        strides=config['strides'],
        ratios=config['aspect_ratios'],
        scales=[scale])


def test_anchors_equal_the_original__det_geometry(case):
    generator = anchor_generator(case.config)
    assert len(case.names('cell_anchors_P*')) == generator.num_levels
    for level, anchors in enumerate(generator.base_anchors):
        case.assert_within(f'cell_anchors_P{level + 2}', anchors)
    sizes = [[-(-side // stride) for side in case.config['padded_hw']]
             for stride in case.config['strides']]
    anchors = torch.cat(generator.grid_priors(sizes, device='cpu'))
    case.assert_within('anchors', anchors)
    inside = anchor_inside_flags(anchors, torch.tensor(True),
                                 case.config['image_hw'])
    case.assert_within('anchor_inside', inside)


@pytest.mark.parametrize('name, stds', [('coder_rpn', (1, 1, 1, 1)),
                                        ('coder_roi', (.1, .1, .2, .2))])
def test_coder_equals_the_original__det_geometry(case, name, stds):
    coder = InclusiveBoxCoder(target_stds=stds)
    boxes = array(case, f'{name}/proposals')
    case.assert_within(f'{name}/codes',
                       coder.encode(boxes, array(case, f'{name}/reference')))
    case.assert_within(f'{name}/decoded',
                       coder.decode(boxes, array(case, f'{name}/deltas')))


def test_overlaps_area_and_clipping_equal_the_original__det_geometry(case):
    first, second = array(case, 'iou/boxes1'), array(case, 'iou/boxes2')
    case.assert_within('iou/matrix', InclusiveOverlaps2D()(first, second))
    case.assert_within('area', box_area(first))
    clipped = clip_boxes(array(case, 'clip/boxes'), case.config['padded_hw'])
    case.assert_within('clip/clipped', clipped)


@pytest.mark.parametrize('matcher, thresholds, low_quality',
                         [('rpn', RPN, True), ('rpn_no_low_quality', RPN,
                                               False), ('roi', ROI, False)])
def test_matching_equals_the_original__det_geometry(case, matcher, thresholds,
                                                    low_quality):
    names = case.names(f'matcher*/{matcher}')
    assert names
    for name in names:
        overlaps = array(case, name.split('/')[0] + '/quality')
        assigner = OwnBestAssigner(*thresholds, match_low_quality=low_quality)
        labels = torch.arange(len(overlaps)) + 10
        result = assigner.assign_wrt_overlaps(overlaps, labels)
        # background is 0 here and -1 there, undecided -1 and -2
        case.assert_within(name, result.gt_inds - 1)
        matched = result.gt_inds > 0
        assert torch.equal(result.labels[matched],
                           result.gt_inds[matched] - 1 + 10)


def test_suppression_equals_the_original__det_geometry(case):
    names = case.names('nms/keep_*')
    assert names
    for name in names:
        _, kept = nms(
            array(case, 'nms/boxes'),
            array(case, 'nms/scores'),
            float(name.split('_')[-1]),
            offset=1)
        case.assert_within(name, kept.sort().values)


def test_pooling_equals_the_original__det_roi_pooling():
    case = load_golden('det', 'roi_pooling')
    config = case.config
    features = [
        array(case, name).requires_grad_() for name in case.names('feature_P*')
    ]
    extractor = InclusiveRoIExtractor(
        roi_layer=dict(
            type='RoIAlign',
            output_size=config['output_size'],
            sampling_ratio=config['sampling_ratio'],
            aligned=config['aligned']),
        out_channels=features[0].shape[1],
        featmap_strides=[round(1 / scale) for scale in config['scales']])
    rois = torch.from_numpy(
        np.concatenate([
            np.insert(case[name], 0, image, axis=1)
            for image, name in enumerate(case.names('rois_img*'))
        ]))
    case.assert_within('roi_level',
                       extractor.map_roi_levels(rois, len(features)))
    pooled = extractor(tuple(features), rois)
    case.assert_within('pooled', pooled)
    pooled.backward(array(case, 'grad_output'))
    for level, feature in enumerate(features):
        case.assert_within(f'grad_feature_P{level + 2}', feature.grad)

# Copyright (c) mic_mm authors. All rights reserved.
"""Sampling, losses and detections of the RoI head as recorded."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from mic_mm.det.geometry.inclusive_boxes import full_image_box
from mic_mm.det.models import SampledRoIs
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import background_last, image, keys_of, published_detector

pytestmark = pytest.mark.golden


def roi_head(train=None, test=None, classes=8, **options):
    model = published_detector()
    for key, value in (train or {}).items():
        section, name = key.split('.')
        model.train_cfg.rcnn[section][name] = value
    model.test_cfg.rcnn.update(test or {})
    config = dict(
        model.roi_head,
        train_cfg=model.train_cfg.rcnn,
        test_cfg=model.test_cfg.rcnn,
        **options)
    config['bbox_head'].update(
        num_classes=classes, in_channels=1, fc_out_channels=2)
    config['bbox_roi_extractor'].update(out_channels=1)
    return MODELS.build(config)


def tensor(case, name):
    return torch.from_numpy(case[name])


def our_labels(labels, classes):
    """The original counts classes from 1 and background as 0."""
    labels = torch.as_tensor(labels).long()
    return torch.where(labels == 0, classes, labels - 1)


def sampling_head(config):
    return roi_head({
        'assigner.pos_iou_thr': config['fg_iou'],
        'assigner.neg_iou_thr': config['fg_iou'],
        'sampler.num': config['batch_size_per_image'],
        'sampler.pos_fraction': config['positive_fraction']
    })


def test_sampled_rois_equal_the_original__det_roi_sampling():
    case = load_golden('det', 'roi_sampling')
    head = sampling_head(case.config)
    width, height = case.config['image_wh']
    dummy = full_image_box((height, width))
    case.assert_within('dummy_box', [dummy])
    samples = [
        image((height, width), case['gt_boxes'], case['gt_labels']),
        image((height, width), is_source=False)
    ]
    names = ['source', 'target']
    candidates = [tensor(case, f'{name}/proposals') for name in names]
    appended = [len(case['gt_boxes']), 1]
    proposals = [
        InstanceData(bboxes=boxes[:len(boxes) - extra])
        for boxes, extra in zip(candidates, appended)
    ]
    head.draws = RecordedDraws({
        'roi.sample_keys': keys_of(
            [case[f'{name}/sampled_index'] for name in names],
            max(map(len, candidates)))
    })
    targets = head.sample_rois(proposals, samples)
    head.draws.assert_all_used()
    classes = head.bbox_head.num_classes
    for i, name in enumerate(names):
        rows = targets.rois[:, 0] == i
        case.assert_within(f'{name}/sampled_boxes', targets.rois[rows, 1:])
        case.assert_within(
            f'{name}/sampled_labels', targets.labels[rows],
            our_labels(case[f'{name}/sampled_labels'], classes))
        case.assert_within(f'{name}/sampled_domain', targets.is_source[rows])
    case.assert_within('source/sampled_regression_targets',
                       targets.bbox_targets[targets.is_source])


@pytest.mark.parametrize('name', ['source', 'target'])
def test_labels_of_all_proposals_equal_the_original__det_roi_sampling(name):
    case = load_golden('det', 'roi_sampling')
    everything = dict(
        case.config, batch_size_per_image=10**6, positive_fraction=1.)
    head = sampling_head(everything)
    size = case.config['image_wh'][::-1]
    boxes = tensor(case, f'{name}/proposals')
    sample = image(size, case['gt_boxes'], case['gt_labels'])
    extra = len(case['gt_boxes'])
    if name == 'target':
        sample, extra = image(size, is_source=False), 1
    targets = head.sample_rois(
        [InstanceData(bboxes=boxes[:len(boxes) - extra])], [sample])
    assert torch.equal(targets.rois[:, 1:], boxes)
    case.assert_within(
        f'{name}/assigned_labels', targets.labels,
        our_labels(case[f'{name}/assigned_labels'],
                   head.bbox_head.num_classes))


@pytest.mark.parametrize('variant, mode', [('da', 'none'), ('pseudo', 'none'),
                                           ('pseudo', 'prob')])
def test_losses_equal_the_original__det_roi_loss(variant, mode):
    case = load_golden('det', 'roi_loss')
    logits = tensor(case, 'class_logits').requires_grad_()
    deltas = tensor(case, 'box_regression').requires_grad_()
    count, classes = len(logits), logits.shape[1] - 1
    head = roi_head(
        classes=classes, pseudo_weight=None if mode == 'none' else mode)
    is_source = torch.ones(count, dtype=torch.bool)
    if f'{variant}/domain' in case:
        is_source = tensor(case, f'{variant}/domain').bool()
    losses = head.loss_of_rois(
        SampledRoIs(
            rois=torch.zeros(count, 5),
            labels=our_labels(case['labels'], classes),
            bbox_targets=tensor(case, 'regression_targets'),
            is_source=is_source,
            is_pseudo=torch.full((count, ), variant == 'pseudo'),
            cls_score=background_last(logits),
            bbox_pred=deltas[:, 4:],
            features=torch.zeros(count, 2),
            levels=torch.zeros(count)))
    for ours, theirs, inputs, kind in (
        ('loss_cls', 'loss_classifier', logits, 'class_logits'),
        ('loss_bbox', 'loss_box_reg', deltas, 'box_regression')):
        case.assert_within(f'{variant}/{mode}/{theirs}', losses[ours])
        gradient, = torch.autograd.grad(losses[ours], inputs)
        case.assert_within(f'{variant}/{mode}/grad_{kind}', gradient)


def test_detections_equal_the_original__det_roi_detections():
    case = load_golden('det', 'roi_detections')
    config = case.config
    head = roi_head(
        test=dict(
            score_thr=config['score_thresh'],
            nms=dict(type='nms', iou_threshold=config['nms'], offset=1),
            max_per_img=config['detections_per_img']),
        classes=config['num_classes'] - 1)
    boxes = tensor(case, 'proposals')
    detections, = head.bbox_head.predict_by_feat(
        rois=[torch.cat([torch.zeros(len(boxes), 1), boxes], 1)],
        cls_scores=[background_last(tensor(case, 'class_logits'))],
        bbox_preds=[tensor(case, 'box_regression')[:, 4:]],
        batch_img_metas=[image(config['image_wh'][::-1]).metainfo],
        rcnn_test_cfg=head.test_cfg)
    case.assert_within('boxes', detections.bboxes)
    case.assert_within('scores', detections.scores)
    case.assert_within('labels', detections.labels + 1)

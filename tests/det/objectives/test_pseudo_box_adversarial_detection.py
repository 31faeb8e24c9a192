# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch, without_labels
from mic_mm.testing.models import tiny_detector
from mic_mm.testing.original_detector import published_detector

HEADS = dict(instance_head=dict(hidden_dim=8))


def sada_detector():
    """The detector of SADA, narrow and with few samples."""
    cfg = published_detector()
    cfg.backbone.update(base_channels=2, stem_channels=4, init_cfg=None)
    cfg.neck.update(in_channels=[8, 16, 32, 64], out_channels=4)
    cfg.rpn_head.update(in_channels=4, feat_channels=4)
    cfg.roi_head.bbox_roi_extractor.out_channels = 4
    cfg.roi_head.bbox_head.update(in_channels=4, fc_out_channels=8, num_classes=4)
    cfg.train_cfg.rpn_proposal.max_per_img = 30
    return cfg


DETECTORS = dict(stock=lambda: tiny_detector(norm='GN'), sada=sada_detector)


def build(detector, **options):
    torch.manual_seed(0)
    cfg = DETECTORS[detector]()
    cfg['test_cfg']['rcnn']['score_thr'] = 0.
    cfg['train_cfg']['rcnn']['sampler']['num'] = 1000  # all candidates
    return MODELS.build(
        dict(
            type='mic_mm.UDADetector', detector=cfg,
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
            objectives=dict(joint=dict(
                dict(type='mic_mm.PseudoBoxAdversarialDetection', pseudo_threshold=0.),
                **options)))).train()


def step(model):
    model.update_teachers()
    optim_wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    return model.train_step(
        dict(source=det_batch(0), target=without_labels(det_batch(1))), optim_wrapper)


@pytest.mark.parametrize('detector', sorted(DETECTORS))
def test_boxes_of_the_teacher_are_among_the_target_regions(detector):
    model = build(detector, **HEADS)
    seen = {}
    model.objectives['joint'].heads.register_forward_pre_hook(
        lambda module, args: seen.update(regions=args[2]))
    label = model.labeller.__call__

    class Labeller:
        threshold = model.labeller.threshold

        def __call__(self, *args):
            seen['labels'] = label(*args)
            return seen['labels']

    model.labeller = Labeller()
    logs = step(model)
    assert float(logs['joint.labelled_share']) == 1.
    assert float(logs['joint.instance.loss']) > 0
    rois = seen['regions'].rois
    for index, sample in enumerate(seen['labels'].data_samples):
        boxes = sample.gt_instances.bboxes
        assert len(boxes) > 0
        ours = rois[rois[:, 0] == 2 + index][:, 1:]
        distance = torch.cdist(boxes, ours, p=1).min(dim=1).values
        assert float(distance.max()) < 1e-3


@pytest.mark.parametrize('detector', sorted(DETECTORS))
def test_without_boxes_the_proposals_remain(detector):
    logs = step(build(detector, pseudo_threshold=1., **HEADS))
    assert float(logs['joint.labelled_share']) == 0.
    assert float(logs['joint.instance.loss']) > 0


def test_missing_instance_head_is_refused():
    with pytest.raises(ValueError, match='no use for pseudo-boxes'):
        build('stock', image_head=dict(hidden_dim=8), instance_head=None)


def test_missing_teacher_is_refused():
    with pytest.raises(ValueError, match='joint.*need pseudo-labels'):
        MODELS.build(
            dict(
                type='mic_mm.UDADetector', detector=tiny_detector(),
                objectives=dict(joint=dict(
                    type='mic_mm.PseudoBoxAdversarialDetection', **HEADS))))

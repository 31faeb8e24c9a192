# Copyright (c) mic_mm authors. All rights reserved.
"""Detectors of each family train in half precision."""
import pytest
import torch

from mic_mm.det.float32_outputs import float32_outputs
from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch, without_labels
from mic_mm.testing.mixed_precision import train_in_half
from mic_mm.testing.models import tiny_one_stage_detector
from mic_mm.testing.models_det import DETECTORS
from mic_mm.testing.original_detector import published_detector

# What MMCV's operations for regions and their suppression compute with.
TWO_STAGE = [
    'rpn_head.rpn_cls', 'rpn_head.rpn_reg', 'roi_head.bbox_roi_extractor'
]
HOSTS = dict(
    self_training=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining')),
    sada=dict(
        joint=dict(
            type='mic_mm.DomainAdversarialDetection',
            image_head=dict(hidden_dim=8),
            instance_head=dict(hidden_dim=8),
            consistency=dict(gradient_scale=0.1))))
RUNS = [(name, 'self_training') for name in DETECTORS] + [('faster_rcnn',
                                                            'sada')]


def build(name, host):
    torch.manual_seed(0)
    detector = DETECTORS[name]()
    for cfg in (detector['test_cfg'], detector['test_cfg'].get('rcnn', {})):
        if 'score_thr' in cfg:
            cfg['score_thr'] = 0.  # a new detector is unsure
    mic = dict(
        type='mic_mm.MaskedConsistency',
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))
    model = MODELS.build(
        dict(
            type='mic_mm.UDADetector',
            detector=detector,
            teacher=dict(type='mic_mm.EMATeacher'),
            labeller=dict(type='mic_mm.BoxLabeller', threshold=0.),
            pseudo_weight=dict(type='mic_mm.StudentConfidence'),
            execution=dict(
                full_precision=TWO_STAGE if name == 'faster_rcnn' else []),
            objectives=dict(HOSTS[host], mic=mic)))
    model.init_weights()
    return model.train()


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
@pytest.mark.parametrize('name, host', RUNS)
def test_detector_trains(name, host, dtype):
    batches = [
        dict(source=det_batch(i), target=without_labels(det_batch(i + 90)))
        for i in range(2)
    ]
    logs = train_in_half(build(name, host), batches, dtype)
    assert all(float(log['mic.labelled_share']) == 1. for log in logs)
    assert all(log['mic.pseudo_confidence'].dtype == torch.float32
               for log in logs)


def published_sada():
    """SADA with its own heads, which need no switch; narrow."""
    torch.manual_seed(0)
    detector = published_detector()
    detector.backbone.update(base_channels=2, stem_channels=4, init_cfg=None)
    detector.neck.update(in_channels=[8, 16, 32, 64], out_channels=4)
    detector.rpn_head.update(in_channels=4, feat_channels=4)
    detector.roi_head.bbox_roi_extractor.out_channels = 4
    detector.roi_head.bbox_head.update(
        in_channels=4, fc_out_channels=8, num_classes=4)
    detector.test_cfg.rcnn.score_thr = 0.
    joint = dict(
        HOSTS['sada']['joint'],
        type='mic_mm.PseudoBoxAdversarialDetection',
        pseudo_threshold=0.)
    mic = dict(
        type='mic_mm.MaskedConsistency',
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))
    return MODELS.build(
        dict(
            type='mic_mm.UDADetector',
            detector=detector,
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(joint=joint, mic=mic))).train()


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_published_sada_trains(dtype):
    log, = train_in_half(
        published_sada(),
        [dict(source=det_batch(0), target=without_labels(det_batch(90)))],
        dtype)
    assert float(log['joint.instance.loss']) > 0
    assert float(log['mic.loss_cls']) > 0


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_scores_are_those_of_the_logits_in_full_precision(dtype):
    """Highest score of FCOS: that of a class times that of the centre."""
    torch.manual_seed(0)
    cfg = tiny_one_stage_detector()
    cfg['test_cfg'].update(score_thr=0., nms_pre=-1)
    detector = MODELS.build(
        dict(
            type='mic_mm.UDADetector',
            detector=cfg,
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision')))).student.eval()
    with torch.no_grad():
        for parameter in detector.bbox_head.parameters():
            parameter.normal_(std=0.3)
    inputs = torch.randn(1, 3, 32, 32)
    samples = without_labels(det_batch(0, 1))['data_samples']
    logits = []
    handle = detector.bbox_head.register_forward_hook(
        lambda head, args, outputs: logits.append(outputs), prepend=True)
    with torch.no_grad(), torch.autocast('cpu', dtype):
        with float32_outputs(detector, inputs.device):
            found = detector.predict(inputs, samples)[0].pred_instances
        ours = found.scores, found.bboxes
        handle.remove()
        lower = detector.predict(inputs, samples)[0].pred_instances
    assert {value.dtype for value in ours} == {torch.float32}
    classes, _, centers = logits[0]
    assert classes[0].dtype == dtype
    expected = max((cls.double().sigmoid() * centre.double().sigmoid()).max()
                   for cls, centre in zip(classes, centers))
    torch.testing.assert_close(
        ours[0].max().double(), expected, rtol=1e-6, atol=0)
    error = (lower.scores.max() - expected).abs() / expected
    assert error > 1e-5  # which is why the outputs are cast

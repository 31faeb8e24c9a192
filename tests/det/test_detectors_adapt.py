# Copyright (c) mic_mm authors. All rights reserved.
"""Detectors of each family train with self-training, MIC and SADA."""
import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch, without_labels
from mic_mm.testing.models_det import DETECTORS

MASK = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
HOSTS = dict(
    self_training=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining')),
    sada=dict(
        joint=dict(
            type='mic_mm.DomainAdversarialDetection',
            image_head=dict(hidden_dim=8))))

# A word that no loss has is refused; of these detectors DINO alone has an IoU loss.
BOX_LOSSES = (('bbox', ), ('bbox', 'iou'))


def build(name, host, threshold=0.):
    torch.manual_seed(0)
    detector = DETECTORS[name]()
    for cfg in (detector['test_cfg'], detector['test_cfg'].get('rcnn', {})):
        if 'score_thr' in cfg:
            cfg['score_thr'] = 0.  # a new detector is unsure
    mic = dict(
        type='mic_mm.MaskedConsistency', mask=MASK, exclude=BOX_LOSSES[name == 'dino'],
        color_aug=dict(type='mic_mm.ColorAugmentation'))
    model = MODELS.build(
        dict(
            type='mic_mm.UDADetector', detector=detector,
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9, warmup=False),
            labeller=dict(type='mic_mm.BoxLabeller', threshold=threshold),
            pseudo_weight=dict(type='mic_mm.StudentConfidence'),
            objectives=dict(HOSTS[host], mic=mic)))
    model.init_weights()  # DINO's level embedding is not initialised otherwise
    return model.train()


def train(model, iterations=2):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optim_wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=0.02, momentum=0.9))
    logs = []
    for iteration in range(iterations):
        model.update_teachers()
        logs.append(model.train_step(
            dict(source=det_batch(iteration), target=without_labels(det_batch(90 + iteration))),
            optim_wrapper))
    return logs


@pytest.mark.parametrize('host', sorted(HOSTS))
@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_detector_trains_with_masked_image_consistency(name, host):
    model = build(name, host)
    before = {n: p.detach().clone() for n, p in model.student.named_parameters()}
    for log in train(model):
        assert all(torch.isfinite(torch.as_tensor(value)).all() for value in log.values())
        assert float(log['mic.labelled_share']) == 1.
        masked = [key for key in log if key.startswith('mic.') and 'loss' in key]
        assert any('cls' in key for key in masked)
        assert not any('bbox' in key or 'iou' in key for key in masked)
        assert sum(float(log[key]) for key in masked) > 0
        if host == 'self_training':
            assert any(key.startswith('self_training.') and 'bbox' in key for key in log)
        else:
            assert float(log['joint.image.loss']) > 0
    moved = [n for n, p in model.student.named_parameters() if not torch.equal(before[n], p)]
    parts = {n.split('.')[0] for n in before}
    assert {n.split('.')[0] for n in moved} == parts


@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_teacher_follows_its_student(name):
    model = build(name, 'self_training')
    start = [p.detach().clone() for p in model.student.parameters()]
    train(model, 1)
    model.update_teachers()
    for old, student, teacher in zip(
            start, model.student.parameters(), model.teacher.model.parameters()):
        assert torch.allclose(teacher, 0.9 * old + 0.1 * student, atol=1e-6)


@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_without_pseudo_boxes_the_host_trains_alone(name):
    log, = train(build(name, 'sada', threshold=1.), 1)
    assert float(log['mic.labelled_share']) == 0.
    assert not any('loss' in key for key in log if key.startswith('mic.'))
    assert float(log['joint.image.loss']) > 0

# Copyright (c) mic_mm authors. All rights reserved.
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mic_mm.core import LabelledImages
from mic_mm.core.scope import pin_scope
from mic_mm.det import StudentConfidence
from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models import tiny_detector
from mic_mm.testing.models_det import DETECTORS


def plain(name='faster_rcnn'):
    torch.manual_seed(0)
    detector = MODELS.build(pin_scope(DETECTORS[name](), 'mmdet'))
    detector.init_weights()
    return detector


def test_rpn_weight_is_the_objectness_with_gradient():
    """L = -p log p for a positive, as MIC's code computes it."""
    detector = plain()
    for detach, expected in ((False, 0.118), (True, -0.105)):
        logit = torch.tensor([[-2.]], requires_grad=True)
        with StudentConfidence(detach_rpn_weight=detach)(detector):
            loss = detector.rpn_head.loss_cls(
                logit, torch.tensor([0]), torch.ones(1), avg_factor=1)
        p = 1 / (1 + math.exp(2))
        assert float(loss) == pytest.approx(-p * math.log(p), rel=1e-5)
        loss.backward()
        assert float(logit.grad) == pytest.approx(expected, abs=1e-3)


@pytest.mark.golden
def test_det_region_weights_equal_the_original():
    case = load_golden('det', 'roi_loss')
    # Background comes first in the original, last in MMDetection.
    logits = torch.from_numpy(case['class_logits']).roll(-1, dims=1).requires_grad_()
    labels = torch.from_numpy(case['labels']).long()
    labels = (labels - 1) % logits.shape[1]
    detector = plain()
    for mode, context in (('prob', StudentConfidence()), ('none', None)):
        name = f'pseudo/{mode}'
        if context is None:
            loss = detector.roi_head.bbox_head.loss_cls(
                logits, labels, torch.ones(len(labels)), avg_factor=len(labels))
        else:
            with context(detector):
                loss = detector.roi_head.bbox_head.loss_cls(
                    logits, labels, torch.ones(len(labels)), avg_factor=len(labels))
        case.assert_within(f'{name}/loss_classifier', loss)
        grad, = torch.autograd.grad(loss, logits)
        case.assert_within(f'{name}/grad_class_logits', grad.roll(1, dims=1))


def test_sigmoid_heads_weight_by_the_largest_class_probability():
    detector = plain('fcos')
    logits = torch.randn(6, 4, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, 4, 4])
    loss_cls = detector.bbox_head.loss_cls
    with StudentConfidence()(detector):
        loss = loss_cls(logits, labels, avg_factor=1)
    per_sample = loss_cls(logits, labels, reduction_override='none').sum(dim=1)
    weight = logits.detach().sigmoid().max(dim=1).values
    assert torch.allclose(loss, (weight * per_sample).sum())
    ours, = torch.autograd.grad(loss, logits, retain_graph=True)
    theirs, = torch.autograd.grad((weight * per_sample).sum(), logits)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_losses_with_a_target_per_class():
    """YOLOX and VarifocalNet have soft targets for each class."""
    detector = nn.Module()
    detector.bbox_head = nn.Module()
    loss_cls = detector.bbox_head.loss_cls = MODELS.build(
        dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, reduction='sum'))
    logits, targets = torch.randn(6, 4), torch.rand(6, 4)
    per_sample = F.binary_cross_entropy_with_logits(
        logits, targets, reduction='none').sum(dim=1)
    with StudentConfidence()(detector):
        loss = loss_cls(logits, targets)
    assert torch.allclose(loss, (per_sample * logits.sigmoid().amax(dim=1)).sum())


def test_given_weights_are_kept():
    head = plain().roi_head.bbox_head
    logits, labels = torch.randn(3, 5), torch.tensor([0, 1, 4])
    given = torch.tensor([1., 0., 2.])
    expected = (F.cross_entropy(logits, labels, reduction='none') * given *
                logits.softmax(1).max(1).values).sum() / 3
    with StudentConfidence()(plain_with(head)):
        assert torch.allclose(head.loss_cls(logits, labels, given, avg_factor=3), expected)
        assert torch.allclose(
            head.loss_cls(logits, labels, weight=given, avg_factor=3), expected)


def plain_with(head):
    detector = nn.Module()
    detector.bbox_head = head
    return detector


def test_losses_are_as_before_outside_of_the_context():
    detector = plain()
    with pytest.raises(KeyError):
        with StudentConfidence()(detector):
            raise KeyError
    hooks = [m for m in detector.modules() if m._forward_pre_hooks]
    assert not hooks


@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_weights_lower_the_classification_loss_of_any_detector(name):
    losses = []
    for weight in (None, dict(type='mic_mm.StudentConfidence')):
        torch.manual_seed(0)
        model = MODELS.build(
            dict(
                type='mic_mm.UDADetector', detector=DETECTORS[name](), pseudo_weight=weight,
                objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))
        model.init_weights()
        data = model.data_preprocessor(det_batch(0), True)
        for sample in data['data_samples']:
            sample.set_field(True, 'is_pseudo')
            sample.set_field(1., 'loss_weight')
        torch.manual_seed(1)
        found = model.weighted_loss(
            model.student, LabelledImages(data['inputs'], data['data_samples']))
        losses.append({
            key: float(sum(v).detach() if isinstance(v, list) else v.detach())
            for key, v in found.items() if 'loss' in key})
    classification = [key for key in losses[0] if 'cls' in key]
    assert classification
    for key in classification:
        assert 0 < losses[1][key] < losses[0][key]
    for key in set(losses[0]) - set(classification):
        assert losses[1][key] == pytest.approx(losses[0][key], rel=1e-5)


def test_source_images_in_the_batch_are_refused():
    model = MODELS.build(
        dict(
            type='mic_mm.UDADetector', detector=tiny_detector(),
            pseudo_weight=dict(type='mic_mm.StudentConfidence'),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))
    data = model.data_preprocessor(det_batch(0), True)
    data['data_samples'][0].set_field(1., 'loss_weight')
    with pytest.raises(ValueError, match="on='target'"):
        model.weighted_loss(
            model.student, LabelledImages(data['inputs'], data['data_samples']))


def test_detector_without_classification_loss_is_refused():
    with pytest.raises(TypeError, match='Linear has a loss_cls'):
        with StudentConfidence()(nn.Linear(1, 1)):
            pass

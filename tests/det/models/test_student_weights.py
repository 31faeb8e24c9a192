# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from mic_mm.det.models.student_weights import class_weights, objectness_weights


def gradient_of_positive(logit, detach):
    logits = torch.tensor([logit], requires_grad=True)
    weights = objectness_weights(logits, torch.tensor([True]), detach)
    loss = weights * F.binary_cross_entropy_with_logits(
        logits, torch.ones(1), reduction='none')
    loss.sum().backward()
    return logits.grad.item()


def test_weights_are_the_objectness_of_pseudo_labels_only():
    logits = torch.tensor([0., 2.])
    weights = objectness_weights(logits, torch.tensor([True, False]), True)
    assert weights.tolist() == [.5, 1.]


def test_gradient_has_the_wrong_sign_below_one_over_e_unless_detached():
    """At logit -2 it is p (1 - p) (-log p - 1), by hand 0.118."""
    assert gradient_of_positive(-2., False) == pytest.approx(.118, abs=1e-3)
    assert gradient_of_positive(-2., True) < 0
    assert gradient_of_positive(0., False) < 0


def test_confidence_counts_background_and_is_constant():
    logits = torch.tensor([[0., 0., 3.], [1., 0., 0.]], requires_grad=True)
    weights = class_weights(logits, torch.tensor([True, False]))
    assert not weights.requires_grad
    assert weights[0].item() == pytest.approx(
        torch.tensor([0., 0, 3]).softmax(0)[2].item())
    assert weights[1].item() == 1

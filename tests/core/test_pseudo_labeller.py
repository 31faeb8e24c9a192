# Copyright (c) mic_mm authors. All rights reserved.
"""The teacher runs without autograd; its labels may enter a loss."""
import pytest
import torch
from torch import nn

from mic_mm.core import LabelledImages, PseudoLabeller, PseudoLabels


class Confidence(PseudoLabeller):
    """Weights each image by the sigmoid of the teacher's only output."""

    def predict(self, teacher, images):
        self.modes = [(torch.is_grad_enabled(), torch.is_inference_mode_enabled())]
        return teacher(images.inputs)

    def label(self, prediction, images, threshold):
        self.modes.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        return PseudoLabels(list(prediction.sigmoid().flatten()))


def test_pass_is_in_inference_mode_and_its_labels_are_constants_of_a_loss():
    teacher, student = nn.Linear(3, 1), nn.Linear(3, 1)
    images = LabelledImages(torch.rand(4, 3), [None] * 4)
    labeller = Confidence(threshold=None)
    weights = torch.stack(labeller(teacher, images, None).data_samples)
    assert labeller.modes == [(False, True), (False, False)]
    assert not weights.is_inference() and not weights.requires_grad
    expected = teacher(images.inputs).sigmoid().flatten().detach()
    assert torch.equal(weights, expected)

    (student(images.inputs).flatten() * weights).sum().backward()
    torch.testing.assert_close(student.weight.grad[0], weights @ images.inputs)


def test_what_the_pass_returns_cannot_enter_a_loss():
    # which is why labels are computed outside
    with torch.inference_mode():
        constant = torch.ones(1)
    with pytest.raises(RuntimeError, match='[Ii]nference'):
        torch.ones(1, requires_grad=True) * constant

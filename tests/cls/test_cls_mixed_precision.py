# Copyright (c) mic_mm authors. All rights reserved.
"""Every host of classification trains in half precision."""
import pytest
import torch
from mmengine.optim import AmpOptimWrapper

from mic_mm.cls.class_labeller import ClassLabeller
from mic_mm.core import LabelledImages
from mic_mm.engine import SAMAmpOptimWrapper
from mic_mm.registry import MODELS
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.mixed_precision import train_in_half
from mic_mm.testing.models import tiny_classifier

CDAN = dict(
    type='mic_mm.ConditionalAdversarial',
    num_classes=4,
    feature_dim=8,
    hidden_dim=8)
DANN = dict(type='mic_mm.DomainAdversarial', feature_dim=8, hidden_dim=8)
MCC = dict(type='mic_mm.MinimumClassConfusion')


def joint(**terms):
    return dict(source=dict(type='mic_mm.JointSupervision', terms=terms))


HOSTS = dict(
    cdan=(joint(cdan=CDAN), AmpOptimWrapper),
    cdan_mcc=(joint(cdan=CDAN, mcc=MCC), AmpOptimWrapper),
    dann=(joint(dann=DANN), AmpOptimWrapper),
    sdat=(joint(cdan=CDAN, mcc=MCC), SAMAmpOptimWrapper),
    self_training=(dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining')), AmpOptimWrapper))


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
@pytest.mark.parametrize('host', HOSTS)
def test_host_trains(host, dtype):
    torch.manual_seed(0)
    objectives, optim_wrapper = HOSTS[host]
    mic = dict(
        type='mic_mm.MaskedConsistency',
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))
    model = MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(objectives, mic=mic))).train()
    batches = [
        dict(source=cls_batch(i), target=without_labels(cls_batch(i + 9)))
        for i in range(2)
    ]
    logs = train_in_half(model, batches, dtype, optim_wrapper)
    assert all(log['mic.pseudo_confidence'].dtype == torch.float32
               for log in logs)


class Teacher(torch.nn.Module):
    """Gives fixed logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def extract_feat(self, inputs):
        return inputs

    def head(self, features):
        return self.logits


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_confidence_is_that_of_the_logits_in_full_precision(dtype):
    torch.manual_seed(0)
    logits = torch.randn(4, 5).to(dtype)
    images = LabelledImages(
        torch.zeros(4, 3, 8, 8), without_labels(cls_batch(0))['data_samples'])
    with torch.autocast('cpu', dtype):
        labels = ClassLabeller()(Teacher(logits), images, None)
    weights = torch.stack([s.loss_weight for s in labels.data_samples])
    assert weights.dtype == torch.float32
    exact = logits.double().softmax(1).amax(1)
    torch.testing.assert_close(weights.double(), exact, rtol=1e-6, atol=0)

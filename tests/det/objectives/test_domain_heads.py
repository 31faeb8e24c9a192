# Copyright (c) mic_mm authors. All rights reserved.
import math

import pytest
import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import nn

from mic_mm.core import SeededDraws
from mic_mm.det.objectives import DomainHeads, ImageDomainHead, InstanceDomainHead, RegionFeatures
from mic_mm.det.objectives.image_domain_head import image_domain_loss

DRAWS = SeededDraws(0, 0)
# Sides of 16 and 128 pixels: levels 0 and 1 of an extractor with strides 4 and 8.
BOXES = torch.tensor([[0., 0, 0, 16, 16], [0, 8, 8, 24, 24], [1, 0, 0, 128, 128],
                      [1, 16, 16, 144, 144]])


def regions(dim=3):
    extractor = SingleRoIExtractor(
        dict(type='RoIAlign', output_size=2, sampling_ratio=1), 3, [4, 8])
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(len(BOXES), dim, generator=generator, requires_grad=True)
    return RegionFeatures(BOXES, features, torch.tensor([1., 1, 0, 0]), extractor)


def constant_head(logits, gradient_scale=1.):
    """An image head that says the same everywhere on a level."""
    head = ImageDomainHead([3] * len(logits), 4, gradient_scale)
    for level, logit in zip(head.levels, logits):
        nn.init.zeros_(level.conv2.weight)
        nn.init.constant_(level.conv2.bias, logit)
    return head


def instance_head(**options):
    return InstanceDomainHead(3, 2, **dict(dict(hidden_dim=8, init_std=0.5), **options))


def maps():
    return [torch.ones(2, 3, 40, 40), torch.ones(2, 3, 20, 20)]


def test_each_level_counts_the_same_however_large():
    head = constant_head([2., -1.])
    loss = image_domain_loss(head(maps(), -1.), torch.tensor([1., 0.]))
    cross_entropy = [
        math.log1p(math.exp(-2)), math.log1p(math.exp(2)),
        math.log1p(math.exp(1)), math.log1p(math.exp(-1))]
    assert float(loss) == pytest.approx(sum(cross_entropy) / 4, rel=1e-5)


def test_accuracy_is_the_share_of_right_places():
    heads = DomainHeads(constant_head([2., 2.]))
    losses = heads(maps(), torch.tensor([1., 0.]), None, DRAWS)
    assert float(losses['image.accuracy']) == 50.
    losses = heads(maps(), torch.tensor([1., 1.]), None, DRAWS)
    assert float(losses['image.accuracy']) == 100.
    assert set(losses) == {'image.loss', 'image.accuracy'}


def test_consistency_is_the_distance_of_both_probabilities():
    found, head = regions(), instance_head(dropout=0.)
    for level, logit in zip(head.levels, (1., -3.)):
        nn.init.zeros_(level.fc3.weight)
        nn.init.constant_(level.fc3.bias, logit)
    heads = DomainHeads(constant_head([2., -1.]), head, 0.1)
    losses = heads(maps(), torch.tensor([1., 0.]), found, DRAWS)

    def probability(logit):
        return 1 / (1 + math.exp(-logit))

    expected = (abs(probability(2.) - probability(1.)) +
                abs(probability(-1.) - probability(-3.))) / 2
    assert float(losses['consistency.loss']) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('first_only', [True, False])
def test_levels_whose_regions_are_classified(first_only):
    head = instance_head(first_level_only=first_only, dropout=0.)
    found = regions()
    assert found.levels.tolist() == [0, 0, 1, 1]
    logits = head(found.features, found.levels, -1., DRAWS)
    assert (logits[2:] == 0).all() == first_only
    logits.sum().backward()
    trained = [level.fc1.weight.grad is not None for level in head.levels]
    assert trained == [True, not first_only]
    assert found.features.grad[2:].any() == (not first_only)


def test_adversarial_gradient_is_reversed_and_that_of_consistency_is_not():
    head = instance_head(gradient_scale=0.5, dropout=0.)
    heads = DomainHeads(constant_head([0., 0.]), head, 0.1)
    found = regions()
    plain = torch.autograd.grad(
        head(found.features, found.levels, 1., DRAWS).sum(), found.features)[0]
    for run, factor in (('adversarial', -0.5), ('consistency', 0.05)):
        logits = heads.instance_logits(found, run, DRAWS)
        gradient = torch.autograd.grad(logits.sum(), found.features)[0]
        assert torch.allclose(gradient, factor * plain)


def test_dropout_keeps_the_mean_and_differs_between_runs():
    head = InstanceDomainHead(3, 1, hidden_dim=2000, dropout=0.5).train()
    hidden = [m for m in head._masks(DRAWS.scoped('a'), 20, torch.zeros(1))]
    assert set(hidden[0].unique().tolist()) == {0., 2.}
    assert float(hidden[0].mean()) == pytest.approx(1., abs=0.03)
    assert not torch.equal(hidden[0], hidden[1])
    others = head._masks(DRAWS.scoped('b'), 20, torch.zeros(1))
    assert not torch.equal(hidden[0], others[0])
    assert head.eval()._masks(DRAWS, 20, torch.zeros(1)) == [None, None]


def test_level_without_regions_has_a_zero_gradient():
    head = instance_head(dropout=0.)
    found = regions()
    levels = torch.zeros(len(BOXES), dtype=torch.long)
    head(found.features, levels, -1., DRAWS).sum().backward()
    assert not head.levels[1].fc1.weight.grad.any()
    assert head.levels[0].fc1.weight.grad.any()


def test_image_without_any_region_has_no_instance_loss():
    found = regions()
    empty = RegionFeatures(
        found.rois[:0], found.features[:0], found.is_source[:0], found.extractor)
    heads = DomainHeads(constant_head([0., 0.]), instance_head(), 0.1)
    losses = heads(maps(), torch.tensor([1., 0.]), empty, DRAWS)
    assert set(losses) == {'image.loss', 'image.accuracy'}


def test_one_level_needs_no_rule_for_levels():
    extractor = SingleRoIExtractor(
        dict(type='RoIAlign', output_size=2, sampling_ratio=1), 3, [4])
    found = RegionFeatures(BOXES, torch.zeros(4, 3), torch.ones(4), extractor)
    assert found.levels.tolist() == [0, 0, 0, 0]
    assert torch.allclose(found.pool([torch.full((2, 1, 40, 40), 3.)]), torch.full((4, ), 3.))

# Copyright (c) mic_mm authors. All rights reserved.
import math

import pytest
import torch

from mic_mm.cls.objectives.domain_term import DomainOutputs
from mic_mm.cls.objectives.entropy import certainty_weights, entropy
from mic_mm.cls.objectives.minimum_class_confusion import MinimumClassConfusion, class_confusion
from mic_mm.testing.golden import load_golden


@pytest.mark.golden
def test_recorded_losses_are_reproduced__cls_mcc_loss():
    case = load_golden('cls', 'mcc_loss')
    temperatures = case.config['temperatures']
    assert len(case.names('T*/loss')) == len(temperatures)
    for temperature in temperatures:
        prefix = f'T{temperature:g}'
        logits = torch.from_numpy(case['logits']).requires_grad_()
        loss = class_confusion(logits, temperature)
        loss.backward()
        case.assert_within(f'{prefix}/loss', loss)
        case.assert_within(f'{prefix}/grad_logits', logits.grad)
        case.assert_within(f'{prefix}/entropy',
                           entropy((logits / temperature).softmax(dim=1)))


def outputs(target_logits):
    features = torch.zeros(len(target_logits), 3)
    return DomainOutputs(features, torch.randn_like(target_logits), features,
                         target_logits)


def test_certain_predictions_confuse_nothing():
    logits = 100 * torch.eye(3)
    assert class_confusion(logits, 1.).item() == pytest.approx(0, abs=1e-6)


def test_uniform_predictions_confuse_all_but_one_share():
    # Every row of the normalised matrix is uniform.
    assert class_confusion(torch.zeros(5, 4), 1.).item() == pytest.approx(
        3 / 4)


def test_two_images_by_hand():
    p = torch.tensor([[0.8, 0.2], [0.5, 0.5]], dtype=torch.double)
    h = [-sum(q * math.log(q + 1e-5) for q in row) for row in p.tolist()]
    w = [1 + math.exp(-x) for x in h]
    w = [2 * x / sum(w) for x in w]
    m00 = w[0] * 0.64 + w[1] * 0.25
    m01 = w[0] * 0.16 + w[1] * 0.25
    m11 = w[0] * 0.04 + w[1] * 0.25
    expected = (m01 / (m00 + m01) + m01 / (m01 + m11)) / 2
    # A temperature of 3 undoes the factor.
    assert class_confusion(3 * p.log(), 3.).item() == pytest.approx(expected)


def test_gradient_is_that_of_fixed_weights():
    logits = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    with torch.no_grad():
        weights = certainty_weights((logits / 2).softmax(dim=1))

    def with_fixed_weights(z):
        p = (z / 2).softmax(dim=1)
        matrix = torch.einsum('ic,i,id->cd', p, weights, p)
        shares = matrix / matrix.sum(1, keepdim=True)
        return (shares.sum() - shares.trace()) / 3

    assert torch.autograd.gradcheck(with_fixed_weights, logits)
    ours, = torch.autograd.grad(class_confusion(logits, 2.), logits)
    theirs, = torch.autograd.grad(with_fixed_weights(logits), logits)
    torch.testing.assert_close(ours, theirs)


def test_only_the_target_counts():
    target = torch.randn(4, 3)
    term = MinimumClassConfusion(weight=0.5)
    first, second = term(outputs(target)), term(outputs(target))
    assert first['loss'] == second['loss']
    assert first['loss'] == 0.5 * class_confusion(target, 2.)


def test_certainty_weights_have_mean_one():
    weights = certainty_weights(torch.tensor([[1., 0.], [0.5, 0.5]]))
    assert weights.mean().item() == pytest.approx(1)
    # (1 + e^0) : (1 + e^-ln 2)
    assert (weights[0] / weights[1]).item() == pytest.approx(
        2 / 1.5, rel=1e-4)


@pytest.mark.parametrize('options, match', [
    (dict(temperature=0), 'temperature=0'),
    (dict(weight=-1), 'weight=-1'),
])
def test_values_out_of_range_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        MinimumClassConfusion(**options)

# Copyright (c) mic_mm authors. All rights reserved.
import math
import re

import pytest
import torch
from torch import nn

from mic_mm.core import GradientReversal
from mic_mm.core.gradient_reversal import reverse_gradient
from mic_mm.testing.golden import load_golden


def reversal_at(steps, **options):
    reversal = GradientReversal(**options)
    reversal.load_state_dict(dict(steps=torch.tensor(steps)))
    return reversal


@pytest.mark.golden
def test_recorded_warm_start_is_reproduced__cls_grl_schedule():
    case = load_golden('cls', 'grl_schedule')
    config = case.config
    starts = case.names('start*/coefficient')
    assert starts
    for name in starts:
        start = re.fullmatch(r'start(\d+)/coefficient', name).group(1)
        reversal = reversal_at(
            int(start),
            alpha=config['alpha'],
            low=config['lo'],
            high=config['hi'],
            warmup_iterations=config['max_iters'])
        gradients, coefficients = [], []
        for _ in case[name]:
            coefficients.append(reversal.coefficient())
            x = torch.from_numpy(case['x']).requires_grad_()
            output = reversal(x)
            assert torch.equal(output, x)
            output.backward(torch.from_numpy(case['grad_output']))
            gradients.append(x.grad)
        case.assert_within(name, coefficients)
        case.assert_within(f'start{start}/grad_input', torch.stack(gradients))
        assert int(reversal.steps) == case[f'start{start}/iter_num_after']


def test_gradient_is_reversed_and_scaled():
    x = torch.randn(3, 2, requires_grad=True)
    (reverse_gradient(x, 0.25) * 3).sum().backward()
    assert (x.grad == -0.75).all()


def test_coefficient_grows_from_low_to_high():
    options = dict(low=0.2, high=0.7, warmup_iterations=10)
    assert reversal_at(0, **options).coefficient() == pytest.approx(0.2)
    assert reversal_at(1000, **options).coefficient() == pytest.approx(0.7)
    # 2 / (1 + e^-1) - 1 of the way
    assert reversal_at(10, **options).coefficient() == pytest.approx(
        0.2 + 0.5 * math.tanh(0.5))


def test_without_warmup_the_coefficient_is_constant():
    reversal = GradientReversal(high=0.1, warmup_iterations=0)
    for _ in range(3):
        assert reversal.coefficient() == 0.1
        reversal(torch.ones(1))


def test_evaluation_does_not_count():
    reversal = GradientReversal().eval()
    reversal(torch.ones(1))
    assert reversal.steps == 0
    reversal.train()(torch.ones(1))
    assert reversal.steps == 1


def test_resumed_counter_continues():
    straight = nn.Sequential(nn.Linear(1, 1), GradientReversal())
    for _ in range(5):
        straight(torch.ones(1, 1))
    resumed = nn.Sequential(nn.Linear(1, 1), GradientReversal())
    resumed.load_state_dict(straight.state_dict())
    for network in (straight, resumed):
        network(torch.ones(1, 1))
    assert resumed[1].coefficient() == straight[1].coefficient() > 0
    assert resumed[1].steps == 6


def test_negative_warmup_is_refused():
    with pytest.raises(ValueError, match='warmup_iterations=-1'):
        GradientReversal(warmup_iterations=-1)

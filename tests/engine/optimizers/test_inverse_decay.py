# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.engine import InverseDecayLR
from mic_mm.registry import PARAM_SCHEDULERS
from mic_mm.testing.golden import load_golden


def optim_wrapper(*rates):
    groups = [
        dict(params=[nn.Parameter(torch.zeros(1))], lr=rate) for rate in rates
    ]
    return OptimWrapper(torch.optim.SGD(groups, lr=1.))


def advance(wrapper, scheduler, steps):
    for _ in range(steps):
        wrapper.step()
        scheduler.step()


# Of backbone, bottleneck, head and discriminator.
MULTIPLIERS = dict(
    lr_finetune_true=(0.1, 1., 1., 1.), lr_finetune_false=(1., 1., 1., 1.))


@pytest.mark.golden
@pytest.mark.parametrize('name', sorted(MULTIPLIERS))
def test_recorded_rates_are_reproduced__cls_lr_schedule(name):
    case = load_golden('cls', 'lr_schedule')
    config = case.config
    wrapper = optim_wrapper(*(config['lr'] * m for m in MULTIPLIERS[name]))
    scheduler = InverseDecayLR(
        wrapper, gamma=config['lr_gamma'], power=config['lr_decay'])
    done = 0
    for iteration, row in sorted(
            zip(case['iteration'].tolist(), case[name].tolist())):
        advance(wrapper, scheduler, iteration - done)
        done = iteration
        rates = [g['lr'] for g in wrapper.optimizer.param_groups]
        case.assert_within(name, rates, row)


def test_resumed_schedule_continues():
    straight, resumed = optim_wrapper(0.5), optim_wrapper(0.5)
    first = InverseDecayLR(straight, gamma=0.1)
    advance(straight, first, 3)
    second = InverseDecayLR(resumed, gamma=0.1)
    resumed.load_state_dict(straight.state_dict())
    second.load_state_dict(first.state_dict())
    advance(straight, first, 2)
    advance(resumed, second, 2)
    rates = [w.optimizer.param_groups[0]['lr'] for w in (straight, resumed)]
    assert rates[0] == rates[1] == 0.5 * (1 + 0.1 * 5)**-0.75


def test_counts_from_its_begin():
    wrapper = optim_wrapper(1.)
    scheduler = InverseDecayLR(wrapper, gamma=1., power=1., begin=2)
    rates = []
    for _ in range(5):
        rates.append(wrapper.optimizer.param_groups[0]['lr'])
        advance(wrapper, scheduler, 1)
    assert rates == [1., 1., 1., 1 / 2, 1 / 3]


def test_epochs_can_be_converted_to_iterations():
    wrapper = optim_wrapper(1.)
    scheduler = InverseDecayLR.build_iter_from_epoch(
        wrapper, gamma=0.5, power=1., epoch_length=10)
    assert not scheduler.by_epoch
    advance(wrapper, scheduler, 20)  # two epochs
    assert wrapper.optimizer.param_groups[0]['lr'] == pytest.approx(1 / 2)


def test_is_built_by_its_prefixed_name():
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='mic_mm.InverseDecayLR', optimizer=optim_wrapper(1.)))
    assert (scheduler.gamma, scheduler.power) == (0.001, 0.75)
    assert not scheduler.by_epoch


@pytest.mark.parametrize('options, match', [(dict(gamma=-1), 'gamma=-1'),
                                            (dict(power=-2), 'power=-2')])
def test_growing_rate_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        InverseDecayLR(optim_wrapper(1.), **options)

# Copyright (c) mic_mm authors. All rights reserved.
"""Sharpness-aware steps of the original."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mic_mm.engine import InverseDecayLR, SAMOptimWrapper
from mic_mm.testing.golden import load_golden


class RecordedNet(nn.Module):
    """The network of the recording, ``unused`` included."""

    def __init__(self, case):
        super().__init__()
        state = {
            name.removeprefix('init/'): torch.tensor(case[name])
            for name in case.names('init/*')
        }
        for name in ('fc1', 'fc2', 'unused'):
            out_features, in_features = state[f'{name}.weight'].shape
            self.add_module(name, nn.Linear(in_features, out_features))
        self.bn = nn.BatchNorm1d(len(state['bn.weight']))
        self.load_state_dict(state)

    def forward(self, x):
        return self.fc2(torch.tanh(self.bn(self.fc1(x))))


def recorded_optim_wrapper(case, net):
    config = case.config
    groups = [
        dict(
            params=[
                *net.fc1.parameters(), *net.bn.parameters(),
                *net.unused.parameters()
            ],
            lr=0.1 * config['lr']),
        dict(params=list(net.fc2.parameters()), lr=config['lr'])
    ]
    options = {k: config[k] for k in ('momentum', 'weight_decay', 'nesterov')}
    return SAMOptimWrapper(
        torch.optim.SGD(groups, lr=config['lr'], **options),
        rho=config['rho'])


def check_all(case, prefix, net, value_of):
    names = case.names(f'{prefix}/*')
    assert names
    parameters = dict(net.named_parameters())
    for name in names:
        parameter = parameters[name.removeprefix(f'{prefix}/')]
        case.assert_within(name, value_of(parameter))


def repeat_iteration(case, at, net, wrapper):
    x, y = (torch.from_numpy(case[f'{at}/{name}']) for name in 'xy')
    case.assert_within(
        f'{at}/lr', [g['lr'] for g in wrapper.optimizer.param_groups])
    parameters = list(net.parameters())

    def first_pass():
        loss = F.cross_entropy(net(x), y)
        case.assert_within(f'{at}/loss1', loss)
        loss.backward()
        check_all(case, f'{at}/grad1', net, lambda p: p.grad)

    with wrapper.ascended(parameters, [], first_pass) as logs:
        case.assert_within(f'{at}/grad_norm', logs['ascent_norm'])
        check_all(case, f'{at}/perturbed', net, lambda p: p)
        logits = net(x)
        loss = F.cross_entropy(logits, y) + 0.3 * logits.square().mean()
        case.assert_within(f'{at}/loss2', loss)
        wrapper.backward(loss)
        check_all(case, f'{at}/grad2', net, lambda p: p.grad)
    wrapper.step()
    wrapper.zero_grad()


@pytest.mark.golden
def test_recorded_steps_are_reproduced__cls_sam_sgd():
    case = load_golden('cls', 'sam_sgd')
    net = RecordedNet(case)
    wrapper = recorded_optim_wrapper(case, net)
    scheduler = InverseDecayLR(
        wrapper,
        gamma=case.config['lr_gamma'],
        power=case.config['lr_decay'])
    for index in range(case.config['iterations']):
        at = f'iter{index}'
        repeat_iteration(case, at, net, wrapper)
        check_all(case, f'{at}/updated', net, lambda p: p)
        check_all(case, f'{at}/momentum', net,
                  lambda p: wrapper.optimizer.state[p]['momentum_buffer'])
        for name in case.names(f'{at}/bn_buffers/*'):
            case.assert_within(
                name, net.get_buffer(name.removeprefix(f'{at}/bn_buffers/')))
        scheduler.step()
    for name, parameter in net.unused.named_parameters():
        assert (parameter.detach().numpy() == case[f'init/unused.{name}']
                ).all()

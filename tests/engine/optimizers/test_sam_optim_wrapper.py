# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.engine import (InverseDecayLR, SAMAmpOptimWrapper,
                           SAMOptimWrapper)
from mic_mm.registry import OPTIM_WRAPPERS
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


def parameter(*values):
    return nn.Parameter(torch.tensor(values, dtype=torch.float64))


def sam(*parameters, lr=0.1, **options):
    return SAMOptimWrapper(
        torch.optim.SGD(parameters, lr=lr), **dict(rho=0.5) | options)


def half_square(*parameters):
    return sum(p.square().sum() for p in parameters) / 2


def test_step_by_hand():
    # g_1 = w, of norm 5; e = 0.5 w / 5; g_2 = w + e = 1.1 w.
    w = parameter(3., 4.)
    wrapper = sam(w)
    with wrapper.ascended([w], [], lambda: half_square(w).backward()) as logs:
        torch.testing.assert_close(w.detach(), 1.1 * parameter(3, 4).detach())
        wrapper.backward(half_square(w))
    wrapper.step()
    assert logs['ascent_norm'] == 5
    torch.testing.assert_close(w.detach(), 0.89 * parameter(3, 4).detach())


def test_norm_runs_over_all_parameters():
    a, b = parameter(3.), parameter(4.)
    with sam(a, b).ascended([a, b], [], lambda: half_square(a, b).backward()):
        torch.testing.assert_close(a.item(), 3 + 0.5 * 3 / 5)
        torch.testing.assert_close(b.item(), 4 + 0.5 * 4 / 5)


def test_parameters_without_gradient_and_of_others_stay():
    w, unused, other = parameter(1.), parameter(2.), parameter(3.)
    wrapper = sam(w, unused, other)

    def first_pass():
        half_square(w, other).backward()

    with wrapper.ascended([w, unused], [other], first_pass) as logs:
        assert w.item() == pytest.approx(1.5)
        assert (unused.item(), other.item()) == (2., 3.)
        assert w.grad is None and other.grad is None
    assert logs['ascent_norm'] == 1


def test_restores_what_has_no_gradient_in_the_second_pass():
    torch.manual_seed(0)
    w, only_first = (nn.Parameter(torch.randn(50)) for _ in range(2))
    before = only_first.detach().clone()
    wrapper = sam(w, only_first)
    with wrapper.ascended([w, only_first], [],
                          lambda: half_square(w, only_first).backward()):
        assert not torch.equal(only_first, before)
        wrapper.backward(half_square(w))
    wrapper.step()
    assert torch.equal(only_first, before)  # to the last bit


def test_restores_after_an_error():
    w = parameter(3., 4.)
    with pytest.raises(KeyboardInterrupt):
        with sam(w).ascended([w], [], lambda: half_square(w).backward()):
            raise KeyboardInterrupt
    assert w.tolist() == [3., 4.]


def test_accumulated_gradients_are_kept_out_of_the_ascent():
    # Two micro-batches with the losses w²/2 and (w - 10)²/2.
    w = parameter(2.)
    wrapper = sam(w, accumulative_counts=2)
    wrapper.initialize_count_status(nn.Identity(), 0, 2)
    for shift in (0., 10.):

        def loss():
            return half_square(w - shift)

        with wrapper.ascended([w], [], lambda: loss().backward()) as logs:
            sign = 1 if shift == 0 else -1
            torch.testing.assert_close(w.item(), 2 + 0.5 * sign)
            wrapper.backward(wrapper.scale_loss(loss()))
        assert logs['ascent_norm'] == abs(2. - shift)
        assert w.item() == 2.
    assert wrapper.should_update()
    wrapper.step()
    # Gradients 2.5 and 1.5 - 10, their mean -3.
    torch.testing.assert_close(w.item(), 2 - 0.1 * -3)


def test_clipping_acts_on_the_final_gradient_only():
    w = parameter(3., 4.)
    wrapper = sam(w, clip_grad=dict(max_norm=1.))
    with wrapper.ascended([w], [], lambda: half_square(w).backward()) as logs:
        torch.testing.assert_close(w.detach(), 1.1 * parameter(3, 4).detach())
        wrapper.backward(half_square(w))
    wrapper.step()
    assert logs['ascent_norm'] == 5
    torch.testing.assert_close(
        w.detach(),
        parameter(3., 4.).detach() - 0.1 * parameter(0.6, 0.8).detach())


def test_zero_gradient_perturbs_nothing():
    w = parameter(0.)
    with sam(w).ascended([w], [], lambda: half_square(w).backward()):
        assert w.item() == 0


class CPUAmp(SAMAmpOptimWrapper):
    """AmpOptimWrapper needs a GPU to be constructed; its scaler does not."""

    def __init__(self, optimizer, init_scale, **options):
        OptimWrapper.__init__(self, optimizer)
        self._configure_sam(**dict(rho=0.5, pseudo_weight='published')
                            | options)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=init_scale)
        self.cast_dtype = torch.bfloat16
        self._scale_update_param = None


def amp_step(w, wrapper, loss=half_square):
    scaler = wrapper.loss_scaler
    with wrapper.ascended([w], [],
                          lambda: scaler.scale(loss(w)).backward()) as logs:
        perturbed = w.detach().clone()
        wrapper.backward(loss(w))
    wrapper.step()
    return perturbed, logs


def test_scale_of_mixed_precision_does_not_change_the_step():
    w = nn.Parameter(torch.tensor([3., 4.]))
    wrapper = CPUAmp(torch.optim.SGD([w], lr=0.1), init_scale=1024.)
    perturbed, logs = amp_step(w, wrapper)
    start = torch.tensor([3., 4.])
    torch.testing.assert_close(perturbed, 1.1 * start)
    assert logs['ascent_norm'] == 5
    torch.testing.assert_close(w.detach(), 0.89 * start)


def test_overflow_skips_perturbation_and_step_and_lowers_the_scale():
    w = nn.Parameter(torch.tensor([3., 4.]))
    wrapper = CPUAmp(torch.optim.SGD([w], lr=0.1), init_scale=2.**127)
    perturbed, _ = amp_step(w, wrapper)
    assert perturbed.tolist() == [3., 4.]
    assert w.tolist() == [3., 4.]
    assert wrapper.loss_scaler.get_scale() == 2.**126


def test_autocast_in_half_precision_approximates_full_precision():
    torch.manual_seed(0)
    x, y = torch.randn(16, 8), torch.randint(0, 3, (16, ))
    nets = [nn.Linear(8, 3) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    start = nets[0].weight.detach().clone()
    wrappers = [
        CPUAmp(torch.optim.SGD(nets[0].parameters(), lr=1.), 64.),
        sam(*nets[1].parameters(), lr=1.)
    ]
    for net, wrapper in zip(nets, wrappers):
        scaler = getattr(wrapper, 'loss_scaler', None)

        def loss():
            with wrapper.optim_context(net):
                return F.cross_entropy(net(x), y)

        def first_pass():
            value = loss()
            (scaler.scale(value) if scaler else value).backward()

        with wrapper.ascended(list(net.parameters()), [], first_pass):
            wrapper.backward(loss())
        wrapper.step()
    steps = [net.weight.detach() - start for net in nets]
    assert (steps[0] - steps[1]).norm() < 0.02 * steps[1].norm()
    assert not torch.equal(*steps)  # half precision was used


def test_is_built_by_its_prefixed_name():
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='mic_mm.SAMOptimWrapper',
            optimizer=torch.optim.SGD([parameter(1.)], lr=0.1)))
    assert wrapper.rho == 0.02
    assert wrapper.unit_weights
    assert not sam(parameter(1.), pseudo_weight='consistent').unit_weights


@pytest.mark.parametrize('options, match', [
    (dict(rho=0), 'rho=0'),
    (dict(rho=-0.1), 'rho=-0.1'),
    (dict(pseudo_weight='none'), "pseudo_weight='none'"),
])
def test_unknown_options_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        sam(parameter(1.), **options)


def test_optimizer_that_computes_gradients_itself_is_refused():
    with pytest.raises(TypeError, match='LBFGS'):
        SAMOptimWrapper(torch.optim.LBFGS([parameter(1.)]))


def test_training_loops_with_one_pass_are_refused():
    w = parameter(1.)
    with pytest.raises(TypeError, match='UDADistributedDataParallel'):
        sam(w).update_params(half_square(w))


def test_first_pass_without_gradient_is_an_error():
    w = parameter(1.)
    with pytest.raises(RuntimeError, match='first pass'):
        with sam(w).ascended([w], [], lambda: None):
            pass

# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from mic_mm.engine import SAMOptimWrapper
from mic_mm.registry import OPTIM_WRAPPERS


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

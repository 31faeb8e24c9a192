# Copyright (c) mic_mm authors. All rights reserved.
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.engine import SAMAmpOptimWrapper, SAMOptimWrapper


def half_square(w):
    return w.square().sum() / 2


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
        SAMOptimWrapper(torch.optim.SGD(nets[1].parameters(), lr=1.), rho=0.5)
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

# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from mic_mm.core import SeededDraws
from mic_mm.core.drawing import DrawingModule, drawing_from
from mic_mm.core.execution import configure_execution


class Shift(DrawingModule, nn.Module):
    """Rolls the features by a drawn number of rows."""

    def forward(self, x):
        if self.draws is None:
            rows = torch.randint(8, ())
        else:
            rows = self.draws.permutation('rows', 8)[0]
        return x.roll(int(rows), dims=2)


def network():
    torch.manual_seed(0)
    block = nn.Sequential(
        Shift(), nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Dropout(0.5))
    layers = nn.ModuleList([block, nn.Conv2d(8, 2, 3)])
    net = nn.Module()
    net.layers = layers
    return net


def run(net, draws=None, **autocast):
    """Loss and gradients of a pass with dropout and draws."""
    torch.manual_seed(1)
    x = torch.rand(2, 3, 8, 8)
    with torch.autocast('cpu', torch.bfloat16, **autocast):
        with drawing_from(net, draws):
            for layer in net.layers:
                x = layer(x)
        loss = x.square().mean()
    loss.backward()  # the draws are gone by now, as in a training step
    return loss.item(), [p.grad for p in net.parameters()]


@pytest.mark.parametrize('draws', [SeededDraws(3, 4), None])
@pytest.mark.parametrize('enabled', [True, False])
@pytest.mark.parametrize('names', [['layers'], ['layers.0']])
def test_gradients_and_buffers_are_the_same(draws, enabled, names):
    plain, checkpointed = network(), network()
    configure_execution(checkpointed, dict(activation_checkpointing=names))
    for _ in range(2):
        loss, gradients = run(plain, draws, enabled=enabled)
        ours, our_gradients = run(checkpointed, draws, enabled=enabled)
        assert ours == loss
        for mine, other in zip(our_gradients, gradients, strict=True):
            assert other.any() and mine.equal(other)
    for name, value in plain.state_dict().items():
        assert checkpointed.state_dict()[name].equal(value), name
    assert plain.state_dict()['layers.0.2.num_batches_tracked'] == 2


def kept_bytes(net):
    kept = {}

    def pack(tensor):
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        x = torch.rand(2, 3, 64, 64)
        for layer in net.layers:
            x = layer(x)
    return sum(kept.values())


def test_activations_of_a_block_are_not_kept():
    plain, checkpointed = network(), network()
    configure_execution(checkpointed,
                        dict(activation_checkpointing=['layers.0']))
    images, features = 2 * 3 * 64 * 64 * 4, 2 * 8 * 64 * 64 * 4
    assert kept_bytes(plain) > images + 3 * features
    # Its input, and its output as the input of the next layer.
    assert images <= kept_bytes(checkpointed) < images + 1.1 * features


def test_a_copy_computes_with_its_own_weights():
    net = network().eval()
    configure_execution(net, dict(activation_checkpointing=['layers']))
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.layers[1].weight.zero_()
        twin.layers[1].bias.fill_(5.)
    features = torch.rand(1, 8, 4, 4)
    assert (twin.layers[1](features) == 5).all()
    assert not (net.layers[1](features) == 5).any()


def test_nothing_is_computed_twice_without_gradients():
    net = network()
    configure_execution(net, dict(activation_checkpointing=['layers.0']))
    with torch.no_grad():
        assert not net.layers[0](torch.rand(1, 3, 8, 8)).requires_grad
    assert net.layers[0][2].num_batches_tracked == 1

# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from mic_mm.core.execution import configure_execution


class Head(nn.Module):
    """Takes features in the way heads and extractors do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 4)

    def forward(self, features, scale=None):
        x = features['levels'][0] + features['levels'][1]
        return self.layer(x * scale)


def model():
    torch.manual_seed(0)
    net = nn.Module()
    net.backbone = nn.Linear(16, 16)
    net.head = Head()
    return net


def outputs(net):
    levels = net.backbone(torch.ones(2, 16))
    scale = torch.tensor(3., dtype=torch.bfloat16)
    return levels, net.head(dict(levels=[levels, levels]), scale=scale)


def test_a_module_is_left_in_full_precision_under_autocast():
    net, plain = model(), model()
    configure_execution(net, dict(full_precision=['head']))
    with torch.autocast('cpu', torch.bfloat16):
        features, ours = outputs(net)
        _, lower = outputs(plain)
    assert features.dtype == lower.dtype == torch.bfloat16
    expected = plain.head.layer(6. * features.float())
    assert ours.dtype == torch.float32 and ours.equal(expected)


def test_its_last_layer_alone_makes_its_output_float32():
    net = model()
    configure_execution(net, dict(full_precision=['head.layer']))
    with torch.autocast('cpu', torch.bfloat16):
        assert outputs(net)[1].dtype == torch.float32


def test_gradients_reach_the_modules_before_it():
    net = model()
    configure_execution(net, dict(full_precision=['head']))
    with torch.autocast('cpu', torch.bfloat16):
        outputs(net)[1].sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.any()
               for p in net.parameters())


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_without_autocast_nothing_changes(dtype):
    net, plain = model().to(dtype), model().to(dtype)
    configure_execution(net, dict(full_precision=['head']))
    x = torch.ones(2, 16, dtype=dtype)
    call = dict(levels=[x, x])
    ours = net.head(call, scale=2.)
    assert ours.dtype == dtype and ours.equal(plain.head(call, scale=2.))

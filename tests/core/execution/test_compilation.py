# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch
from torch import nn

from mic_mm.core.execution import configure_execution


@pytest.fixture
def graphs():
    """Number of operations of each graph that was compiled."""
    torch.compiler.reset()
    yield []
    torch.compiler.reset()


def counting(graphs):

    def backend(graph, inputs):
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    return backend


def model(**compile_):
    torch.manual_seed(0)
    net = nn.Module()
    net.backbone = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    net.head = nn.Linear(4, 2)
    configure_execution(net, dict(compile=compile_) if compile_ else None)
    return net


def test_only_the_named_modules_are_compiled(graphs):
    net = model(modules=['head'], backend=counting(graphs))
    features = net.backbone(torch.rand(3, 4))
    assert graphs == []
    net.head.forward(features)  # how libraries call a head
    net.head(features)
    assert len(graphs) == 1


def test_backbone_is_what_is_compiled_by_default(graphs):
    net = model(backend=counting(graphs))
    net.head(net.backbone(torch.rand(3, 4)))
    assert len(graphs) == 1


@pytest.mark.parametrize('backend', ['eager', 'aot_eager'])
def test_result_gradient_and_statistics_are_the_same(graphs, backend):
    plain, compiled = model(), model(backend=backend)
    for net in (plain, compiled):
        for seed in range(2):
            torch.manual_seed(seed)
            net.head(net.backbone(torch.rand(3, 4))).square().sum().backward()
    for mine, other in zip(compiled.parameters(), plain.parameters()):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-5, atol=1e-6)
    assert list(plain.state_dict()) == list(compiled.state_dict())
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()[name], value)


def test_a_copy_computes_with_its_own_weights(graphs):
    net = model(backend=counting(graphs)).eval()
    x = torch.rand(3, 4)
    before = net.backbone(x)
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.backbone[0].weight.zero_()
    expected = twin.backbone[1](twin.backbone[0](x))
    assert not torch.allclose(expected, before)
    torch.testing.assert_close(twin.backbone(x), expected)
    torch.testing.assert_close(net.backbone(x), before)


def test_a_compiled_module_may_be_checkpointed(graphs):
    plain = model()
    both = model()
    configure_execution(
        both,
        dict(
            compile=dict(modules=['backbone'], backend=counting(graphs)),
            activation_checkpointing=['backbone']))
    for net in (plain, both):
        torch.manual_seed(0)
        net.head(net.backbone(torch.rand(3, 4))).square().sum().backward()
    assert graphs
    for mine, other in zip(both.parameters(), plain.parameters()):
        assert other.grad.any() and mine.grad.equal(other.grad)
    assert both.backbone[1].running_mean.equal(plain.backbone[1].running_mean)


@pytest.mark.parametrize('switch, error', [
    (dict(backend='inductr'), "backend='inductr' is unknown"),
    (dict(fast=True), r"unknown entries \['fast'\]"),
    (dict(modules=['neck']), "compile.modules names 'neck'"),
])
def test_mistakes_are_named_when_the_model_is_built(switch, error):
    with pytest.raises(ValueError, match=error):
        model(**switch)

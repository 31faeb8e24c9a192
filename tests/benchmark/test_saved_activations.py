# Copyright (c) mic_mm authors. All rights reserved.
"""What graphs keep is counted, and an iteration keeps that of one pass."""
import pytest
import torch

from mic_mm.benchmark import SavedActivations, largest_forward, record


def test_a_tensor_counts_from_its_saving_until_its_graph_is_freed():
    x = torch.ones(100, requires_grad=True)  # 400 bytes
    with SavedActivations() as saved:
        y = x.exp()  # saves its result
        assert saved.live == 400
        z = y.exp()
        assert saved.live == 800
        z.sum().backward()
        assert saved.live == 0
    assert saved.peak == 800


def test_a_tensor_that_is_saved_twice_counts_once():
    x = torch.ones(100, requires_grad=True)
    with SavedActivations() as saved:
        y = x.exp()
        z = y * y[:50].sum()  # saves y again
        assert saved.live == 400 + 4
        del y
        assert saved.live == 404
        del z
        assert saved.live == 0


def test_parameters_do_not_count():
    weight = torch.ones(100, requires_grad=True)
    x = torch.ones(100)
    with SavedActivations(exclude=[weight]) as saved:
        y = weight * x
    assert saved.peak == 400
    del y


def test_gradients_are_those_without_counting():
    x = torch.rand(10, requires_grad=True)
    expected, = torch.autograd.grad(x.exp().tanh().sum(), x)
    with SavedActivations():
        x.exp().tanh().sum().backward()
    assert torch.equal(x.grad, expected)


@pytest.mark.parametrize('kind', ['daformer', 'hrda', 'sdat'])
def test_iteration_keeps_the_activations_of_one_student_pass(kind, request):
    workload = request.getfixturevalue(kind)
    model = workload.model
    there = [*model.parameters(), *model.buffers()]
    largest = largest_forward(record(workload), there)
    data = workload.batch()
    with SavedActivations(there) as saved:
        workload.iterate(data)
    assert largest > 0
    assert saved.peak <= 1.05 * largest
    assert saved.live == 0


def test_a_graph_that_is_carried_along_is_noticed(daformer):
    # as the original does with the losses of the source
    model = daformer.model
    there = [*model.parameters(), *model.buffers()]
    largest = largest_forward(record(daformer), there)
    kept, data = [], daformer.batch()
    weighted_loss = model.weighted_loss

    def keeping(student, images):
        losses = weighted_loss(student, images)
        kept.append({name: 1 * value for name, value in losses.items()})
        # a second backward would need the graph, so its buffers stay
        return {name: value.detach().requires_grad_() for name, value in losses.items()}

    model.weighted_loss = keeping
    with SavedActivations(there) as saved:
        daformer.iterate(data)
    assert saved.peak > 1.5 * largest

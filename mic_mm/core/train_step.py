# Copyright (c) mic_mm authors. All rights reserved.
"""One training iteration: a backward per objective, then a step."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from .domain_batch import DomainBatch
from .objectives.objective import Objective
from .optimizer_step import step, student_optim_wrapper
from .sharpness_aware import SharpnessAware

if TYPE_CHECKING:
    from .uda_model import UDAModel


def train_step(model: UDAModel,
               wrapped: nn.Module,
               data: dict,
               optim_wrapper: OptimWrapper,
               sync_gradients: Optional[Callable[[], None]] = None) -> dict:
    """Add up the gradients of all active objectives and update.

    The gradient is that of the summed losses; computing it objective by
    objective holds one graph at a time.  A :class:`SharpnessAware` optimizer
    wrapper has this happen at perturbed weights.

    Args:
        model (UDAModel): The model.
        wrapped (nn.Module): The model or its distributed wrapper, which the
            optimizer wrapper's context needs.
        data (dict): A batch of the data loader.
        optim_wrapper (OptimWrapper | OptimWrapperDict): The optimizer
            wrapper; a dict holds the student's as ``'student'`` and those of
            objectives by name.
        sync_gradients (Callable, optional): Averages the gradients over the
            ranks, called before a perturbation and before an update.
            Defaults to None.

    Returns:
        dict[str, Tensor]: Values to log, detached.
    """
    _check_optim_wrapper(optim_wrapper)
    all_optimizers = optim_wrapper
    optim_wrapper = student_optim_wrapper(all_optimizers)
    model.check_loaded(data)
    with optim_wrapper.optim_context(wrapped):
        batch = model.prepare(model.data_preprocessor(data, True))
    with _ascended(model, wrapped, batch, optim_wrapper,
                   sync_gradients) as log_vars:
        loss, values = _add_gradients(model, wrapped, batch, optim_wrapper)
    if optim_wrapper.should_update():
        if sync_gradients is not None:
            sync_gradients()
        step(all_optimizers)
    return {'loss': loss, **values, **log_vars}


def _add_gradients(
        model: UDAModel, wrapped: nn.Module, batch: DomainBatch,
        optim_wrapper: OptimWrapper) -> tuple[Tensor, dict[str, Tensor]]:
    """Add the gradients of all active objectives; give their loss."""
    objectives = model.active_objectives()
    log_vars: dict[str, Tensor] = {}
    total: Any = 0.
    for index, (name, objective) in enumerate(objectives.items()):
        with optim_wrapper.optim_context(wrapped):
            loss, values = _objective_loss(model, name, objective, batch)
        is_last = index == len(objectives) - 1
        _backward(loss, optim_wrapper, model.student, is_last)
        total = total + loss.detach()
        log_vars.update(values)
        del loss, values  # frees the graph before the next forward
    return total, log_vars


@contextmanager
def _ascended(
    model: UDAModel, wrapped: nn.Module, batch: DomainBatch,
    optim_wrapper: OptimWrapper, sync_gradients: Optional[Callable[[], None]]
) -> Iterator[dict[str, Tensor]]:
    """Perturb the student, if the optimizer wrapper asks for it."""
    in_context = optim_wrapper.optim_context
    if not isinstance(optim_wrapper, SharpnessAware):
        yield {}
        return

    def first_pass() -> None:
        batch.is_ascent = True
        for name, objective in model.active_objectives().items():
            if objective.in_ascent:
                with in_context(wrapped):
                    loss, _ = _objective_loss(model, name, objective, batch)
                _backward_uncounted(loss, optim_wrapper)
                del loss
        batch.is_ascent = False
        if sync_gradients is not None:
            sync_gradients()

    trained = [p for p in model.parameters() if p.requires_grad]
    student = [p for p in model.student.parameters() if p.requires_grad]
    owned = set(map(id, student))
    others = [p for p in trained if id(p) not in owned]
    with optim_wrapper.ascended(student, others, first_pass) as log_vars:
        batch.unit_weights = optim_wrapper.unit_weights
        yield log_vars


def _objective_loss(model: UDAModel, name: str, objective: Objective,
                    batch: DomainBatch) -> tuple[Tensor, dict[str, Tensor]]:
    losses = objective(batch, model.student, model.teacher_of(name))
    loss, values = model.parse_losses(losses)
    if not isinstance(loss, Tensor):  # no entry has 'loss' in its name
        loss = batch.source.inputs.new_zeros(())
    return loss, {
        f'{name}.{key}': value.detach()
        for key, value in values.items() if key in losses
    }


def _backward(loss: Tensor, optim_wrapper: OptimWrapper, student: nn.Module,
              is_last: bool) -> None:
    # OptimWrapper.backward counts iterations for gradient accumulation, so
    # it is called once per iteration, for the last objective.
    if is_last:
        if not loss.requires_grad:
            loss = loss + _zero_with_graph(student)
        optim_wrapper.backward(optim_wrapper.scale_loss(loss))
        return
    _backward_uncounted(optim_wrapper.scale_loss(loss), optim_wrapper)


def _backward_uncounted(loss: Tensor, optim_wrapper: OptimWrapper) -> None:
    if not loss.requires_grad:
        return
    scaler = getattr(optim_wrapper, 'loss_scaler', None)
    if scaler is not None:
        loss = scaler.scale(loss)
    loss.backward()


def _zero_with_graph(student: nn.Module) -> Tensor:
    # A parameter that has a gradient already: a new gradient, even of zeros,
    # would expose the parameter to weight decay.
    parameter = next(
        (p for p in student.parameters() if p.grad is not None), None)
    if parameter is None:
        raise RuntimeError(
            'No objective of this iteration has a loss with a gradient. '
            'Check model.objectives and that the student has trainable '
            'parameters.')
    return 0 * parameter.sum()


def _check_optim_wrapper(optim_wrapper: OptimWrapper) -> None:
    if type(optim_wrapper).__name__ == 'ApexOptimWrapper':
        raise TypeError(
            "optim_wrapper.type='ApexOptimWrapper' is not supported by "
            "mic_mm; use 'OptimWrapper' or 'AmpOptimWrapper'.")

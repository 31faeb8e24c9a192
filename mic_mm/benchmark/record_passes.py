# Copyright (c) mic_mm authors. All rights reserved.
"""Sees which passes of networks an iteration contains."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Optional

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mic_mm.core import UDAModel
from mic_mm.core.optimizer_step import student_optim_wrapper

from .network_passes import ModulePass, NetworkPass, StudentPass, TeacherPass
from .shadowing import shadowed


def record_passes(model: UDAModel, optim_wrapper: OptimWrapper,
                  iterate: Callable[[], Any]) -> list[NetworkPass]:
    """Run an iteration and list the passes of networks in it.

    Args:
        model (UDAModel): The model.
        optim_wrapper (OptimWrapper): Its optimizer wrapper.
        iterate (Callable): Runs one training iteration.

    Returns:
        list[NetworkPass]: The passes, in the order of the iteration.
    """
    recorder = _Recorder(model, optim_wrapper)
    with recorder.attached():
        iterate()
    return recorder.passes


class _Recorder:

    def __init__(self, model: UDAModel, optim_wrapper: OptimWrapper) -> None:
        self.model = model
        self.optim_wrapper = optim_wrapper
        self.passes: list[NetworkPass] = []
        self.objective: Optional[str] = None
        # Within a pass that is recorded, what it is made of is not.
        self.depth = 0

    @contextmanager
    def attached(self) -> Iterator[None]:
        model = self.model
        with ExitStack() as stack:
            stack.enter_context(
                shadowed(model, 'weighted_loss', self._around_loss))
            stack.enter_context(
                shadowed(model.labeller, 'predict', self._around_predict))
            for objective in model.objectives.values():
                stack.enter_context(_hooked(objective, self._begin, self._end))
                for part in list(objective.modules())[1:]:
                    stack.enter_context(
                        _hooked(part, self._enter, self._leave))
            for part in list(model.student.modules())[1:]:
                stack.enter_context(_hooked(part, self._enter, self._leave))
            yield

    def _context(self) -> AbstractContextManager:
        return student_optim_wrapper(self.optim_wrapper).optim_context(
            self.model)

    def _around_loss(self, method: Callable) -> Callable:

        def weighted_loss(student, images):
            self.passes.append(
                StudentPass(self.objective, self.model, images,
                            self.optim_wrapper))
            return self._inside(method, student, images)

        return weighted_loss

    def _around_predict(self, method: Callable) -> Callable:

        def predict(teacher, images):
            self.passes.append(
                TeacherPass(self.objective, method, teacher, images,
                            self._context))
            return self._inside(method, teacher, images)

        return predict

    def _inside(self, method: Callable, *args):
        self.depth += 1
        try:
            return method(*args)
        finally:
            self.depth -= 1

    def _begin(self, objective: nn.Module, args: tuple, kwargs: dict) -> None:
        self.objective = objective.name

    def _end(self, *_) -> None:
        self.objective = None

    def _enter(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        if self.objective is None or not is_network(module, args, kwargs):
            return
        if self.depth == 0:
            self.passes.append(
                ModulePass(self.objective, module, args, kwargs,
                           self._context))
        self.depth += 1

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict,
               output) -> None:
        if self.objective is not None and is_network(module, args, kwargs):
            self.depth -= 1


def is_network(module: nn.Module, args: tuple, kwargs: dict) -> bool:
    """Whether it has weights and maps tensors to something.

    A loss with a network inside is none, if it takes more than tensors.
    """
    values = [*args, *kwargs.values()]
    return bool(values) and all(map(_is_tensors, values)) and any(
        True for _ in module.parameters())


def _is_tensors(value: Any) -> bool:
    # Not isinstance: a NamedTuple of tensors is a description, no stack of features
    if type(value) in (tuple, list):
        return all(isinstance(item, Tensor) for item in value)
    return isinstance(value, Tensor)


@contextmanager
def _hooked(module: nn.Module, before: Callable,
            after: Callable) -> Iterator[None]:
    handles = [
        module.register_forward_pre_hook(before, with_kwargs=True),
        module.register_forward_hook(
            after, with_kwargs=True, always_call=True)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

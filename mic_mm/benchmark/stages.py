# Copyright (c) mic_mm authors. All rights reserved.
"""Where the time of an iteration goes."""
from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Optional

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor

from mic_mm.core import UDAModel

from .network_passes import FROZEN, ModulePass, NetworkPass
from .shadowing import shadowed

# Attributes of objectives that change images, and the stage they belong to.
_VIEWS = {
    'mix': 'mixing',
    'color_aug': 'augmentation',
    'mask': 'masking',
}
Stage = tuple[Optional[str], str]
Times = tuple[float, float]
_REST = 'rest'
_OF_THE_STEP = ('optimizer', 'perturbation')


class StageClock:
    """Seconds spent in nested stages, without those of the stages inside.

    Args:
        synchronize (Callable): Waits until the device has caught up.

    Attributes:
        seconds (dict): Wall and CPU seconds by ``(objective, stage)``; the
            objective is None outside of any.
    """

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self.synchronize = synchronize
        self.seconds: dict[Stage, Times] = defaultdict(lambda: (0., 0.))
        self.objective: Optional[str] = None
        self._open: list[Stage] = []
        self._since: Times = 0., 0.

    def enter(self, stage: str) -> None:
        """Begin a stage; the optimizer is of no objective."""
        self._book()
        objective = None if stage in _OF_THE_STEP else self.objective
        self._open.append((objective, stage))

    def leave(self, *_) -> None:
        """End the stage that was begun last."""
        self._book()
        self._open.pop()

    def _book(self) -> None:
        self.synchronize()
        now = time.perf_counter(), time.process_time()
        if self._open:
            wall, cpu = self.seconds[self._open[-1]]
            self.seconds[self._open[-1]] = (wall + now[0] - self._since[0],
                                            cpu + now[1] - self._since[1])
        self._since = now

    def around(self, stage: str) -> Callable[[Callable], Callable]:
        """Put a stage around a function."""

        def wrap(function: Callable) -> Callable:

            def timed(*args, **kwargs):
                self.enter(stage)
                try:
                    return function(*args, **kwargs)
                finally:
                    self.leave()

            return timed

        return wrap


def time_stages(model: UDAModel,
                optim_wrapper: OptimWrapper | OptimWrapperDict,
                iterate: Callable[[], Any],
                synchronize: Callable[[], None],
                passes: Sequence[NetworkPass] = ()) -> dict[Stage, Times]:
    """Run an iteration and take the time of each stage.

    Args:
        model (UDAModel): The model.
        optim_wrapper (OptimWrapper | OptimWrapperDict): Its optimizers.
        iterate (Callable): Runs one training iteration.
        synchronize (Callable): Waits until the device has caught up.
        passes (Sequence[NetworkPass]): Those of a recorded iteration, which
            tell the networks beside the student's own loss. Defaults to ().

    Returns:
        dict: Wall and CPU seconds by ``(objective, stage)``.
    """
    clock = StageClock(synchronize)
    with ExitStack() as stack:
        _watch_model(stack, clock, model)
        _watch_networks(stack, clock, passes)
        for wrapper in _optim_wrappers(optim_wrapper):
            for name in ('step', 'zero_grad'):
                stack.enter_context(
                    shadowed(wrapper, name, clock.around('optimizer')))
            if hasattr(wrapper, 'ascend'):
                stack.enter_context(
                    shadowed(wrapper, 'ascend', clock.around('perturbation')))
        clock.enter(_REST)
        iterate()
        clock.leave()
    return dict(clock.seconds)


def _watch_model(stack: ExitStack, clock: StageClock,
                 model: UDAModel) -> None:

    def watch(owner: Any, name: str, stage: str) -> None:
        stack.enter_context(shadowed(owner, name, clock.around(stage)))

    watch(model, 'update_teachers', 'EMA')
    watch(model, 'check_loaded', 'check of the batch')
    watch(model.data_preprocessor, 'forward', 'preprocessing')
    watch(model.labeller, 'predict', 'teacher forward')
    watch(model.labeller, 'label', 'pseudo-labels')
    watch(model, 'weighted_loss', 'student forward and loss')
    stack.enter_context(
        shadowed(model, 'parse_losses', lambda f: _with_backward(clock, f)))
    for name, objective in model.objectives.items():
        stack.enter_context(
            shadowed(objective, 'forward',
                     lambda f, n=name: _within_objective(clock, n, f)))
        for attribute, stage in _VIEWS.items():
            if callable(getattr(objective, attribute, None)):
                stack.enter_context(
                    shadowed(objective, attribute, clock.around(stage)))


def _within_objective(clock: StageClock, name: str,
                      function: Callable) -> Callable:

    def forward(*args, **kwargs):
        clock.objective = name
        clock.enter(_REST)
        try:
            return function(*args, **kwargs)
        finally:
            clock.leave()

    return forward


def _with_backward(clock: StageClock, function: Callable) -> Callable:
    """The stage of the backward pass, from the gradient of the loss on."""

    def begin(_) -> None:
        clock.enter('backward')
        torch.autograd.Variable._execution_engine.queue_callback(clock.leave)

    def parse_losses(losses):
        loss, values = function(losses)
        if isinstance(loss, Tensor) and loss.requires_grad:
            loss.register_hook(begin)
        return loss, values

    return parse_losses


def _watch_networks(stack: ExitStack, clock: StageClock,
                    passes: Sequence[NetworkPass]) -> None:
    networks = {p.module: p for p in passes if isinstance(p, ModulePass)}
    for seen in networks.values():
        stage = ('frozen forward' if seen.kind == FROZEN else
                 'student forward and loss')
        stack.enter_context(
            shadowed(seen.module, 'forward', clock.around(stage)))


def _optim_wrappers(
        optim_wrapper: OptimWrapper | OptimWrapperDict
) -> list[OptimWrapper]:
    if isinstance(optim_wrapper, OptimWrapperDict):
        return list(optim_wrapper.values())
    return [optim_wrapper]

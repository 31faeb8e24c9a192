# Copyright (c) mic_mm authors. All rights reserved.
"""Seconds of functions that take turns."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any, Optional

import torch


@dataclass
class Seconds:
    """Measured seconds of a function.

    Attributes:
        wall (list[float]): By the clock.
        cpu (list[float]): Of all threads of the process, which other
            processes on the machine disturb less.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Medians and the least, in seconds."""
        return dict(
            wall=median(self.wall),
            cpu=median(self.cpu),
            least=min(self.wall))

    def ratio_to(self, other: Seconds) -> dict[str, float]:
        """Of the medians, and the median ratio of neighbours in time."""
        return dict(
            wall=median(self.wall) / median(other.wall),
            cpu=median(self.cpu) / median(other.cpu),
            paired=median(a / b for a, b in zip(self.wall, other.wall)),
            paired_cpu=median(a / b for a, b in zip(self.cpu, other.cpu)))


def synchronizer(device: str) -> Callable[[], None]:
    """What waits until the device has done all it was asked to."""
    if torch.device(device).type == 'cuda':
        # Of this device: it need not be the current one.
        return partial(torch.cuda.synchronize, device)
    return lambda: None


def take_turns(functions: dict[str, Callable[[Any], Any]],
               rounds: int,
               synchronize: Callable[[], None],
               prepare: Optional[dict[str, Callable[[], Any]]] = None,
               tidy: Optional[Callable[[], None]] = None,
               warmup: int = 2) -> dict[str, Seconds]:
    """Measure functions in turn: A B C, B C A, C A B, ...

    What slows the machine down for a while slows all of them, and each comes
    first as often as the others.

    Args:
        functions (dict): Functions of one argument, by name.
        rounds (int): How often each is measured.
        synchronize (Callable): See :func:`synchronizer`.
        prepare (dict, optional): What makes the argument of a function,
            outside of the measured time. Defaults to None: it is None.
        tidy (Callable, optional): Called after each, likewise. Defaults to
            None.
        warmup (int): Rounds before. Defaults to 2: the first ones allocate
            memory, and choose algorithms on a GPU.
    """
    measured = {name: Seconds() for name in functions}
    names = list(functions)
    for turn in range(-warmup, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            argument = prepare[name]() if prepare and name in prepare else None
            wall, cpu = _seconds(functions[name], argument, synchronize)
            if tidy is not None:
                tidy()
            if turn >= 0:
                measured[name].wall.append(wall)
                measured[name].cpu.append(cpu)
    return measured


def _seconds(function: Callable[[Any], Any], argument: Any,
             synchronize: Callable[[], None]) -> tuple[float, float]:
    synchronize()
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(argument)
    synchronize()
    elapsed = time.perf_counter() - wall, time.process_time() - cpu
    del result
    return elapsed

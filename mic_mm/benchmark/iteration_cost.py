# Copyright (c) mic_mm authors. All rights reserved.
"""What an iteration costs, beside the passes of networks it contains."""
from __future__ import annotations

import resource
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from .library_passes import as_in_library
from .network_passes import MODULE, ModulePass, NetworkPass, StudentPass
from .record_passes import record_passes
from .saved_activations import SavedActivations
from .stages import time_stages
from .timing import Seconds, synchronizer, take_turns
from .workload import Workload

ITERATION, PASSES, LIBRARY = 'iteration', 'passes', 'library_passes'


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """Measure training iterations against their passes of networks.

    The passes are those of a recorded iteration, on the same images and
    labels, run one after the other: for each objective the student's forward
    pass, its losses as its library computes them and the backward pass; the
    teacher's forward pass; those of frozen networks.  What they leave out is
    what mic_mm adds: preprocessing, pseudo-labels and weights from the
    teacher's output, mixing, augmentation and masks, distances of features
    and other losses of objectives, the averaging of the teacher, the
    optimizer, and the glue between them.

    Args:
        workload (Workload): Model and data.
        rounds (int): How often each is measured.

    Returns:
        dict: Seconds, ratios, stages and memory; see the tool's ``--help``.
    """
    device = next(workload.model.parameters()).device
    synchronize = synchronizer(str(device))
    passes = record(workload)
    seconds = take_turns(
        {
            ITERATION: workload.iterate,
            PASSES: lambda _: run_all(passes),
            LIBRARY: lambda _: run_as_in_library(workload, passes)
        },
        rounds,
        synchronize,
        prepare={ITERATION: workload.batch},
        tidy=lambda: workload.model.zero_grad(set_to_none=True))
    return {
        'seconds': {name: s.summary() for name, s in seconds.items()},
        'ratio': seconds[ITERATION].ratio_to(seconds[PASSES]),
        'ratio_to_library': seconds[ITERATION].ratio_to(seconds[LIBRARY]),
        'gain_of_passes': seconds[LIBRARY].ratio_to(seconds[PASSES]),
        'passes': _each_pass(workload, passes, rounds, synchronize),
        'stages': _stages(workload, passes, rounds, synchronize),
        'ema': _ema(workload, rounds, synchronize),
        'memory': _memory(workload, passes, device),
    }


def record(workload: Workload) -> list[NetworkPass]:
    """The passes of an iteration, after one that copies teachers."""
    workload.iterate(workload.batch())
    data = workload.batch()
    return record_passes(workload.model, workload.optim_wrapper,
                         lambda: workload.iterate(data))


def run_all(passes: list[NetworkPass], library: bool = False) -> None:
    """Run passes one after the other."""
    for network_pass in passes:
        network_pass.run(library)


def run_as_in_library(workload: Workload, passes: list[NetworkPass]) -> None:
    """Run passes the way the libraries would."""
    with as_in_library(workload.model):
        run_all(passes, library=True)


def _each_pass(workload: Workload, passes: list[NetworkPass], rounds: int,
               synchronize: Callable[[], None]) -> list[dict]:
    seconds = take_turns(
        {
            str(index): lambda _, p=network_pass: p.run()
            for index, network_pass in enumerate(passes)
        },
        max(rounds // 2, 1),
        synchronize,
        tidy=lambda: workload.model.zero_grad(set_to_none=True),
        warmup=1)
    return [
        dict(
            objective=network_pass.objective,
            kind=network_pass.kind,
            **measured.summary())
        for network_pass, measured in zip(passes, seconds.values())
    ]


def _stages(workload: Workload, passes: list[NetworkPass], rounds: int,
            synchronize: Callable[[], None]) -> list[dict]:
    measured: dict[tuple, Seconds] = defaultdict(Seconds)
    for _ in range(max(rounds // 2, 1)):
        data = workload.batch()
        stages = time_stages(workload.model, workload.optim_wrapper,
                             partial(workload.iterate, data), synchronize,
                             passes)
        for key, (wall, cpu) in stages.items():
            measured[key].wall.append(wall)
            measured[key].cpu.append(cpu)
    return [
        dict(objective=objective, stage=stage, **seconds.summary())
        for (objective, stage), seconds in measured.items()
    ]


def _ema(workload: Workload, rounds: int,
         synchronize: Callable[[], None]) -> dict[str, float]:
    """The averaging of all teachers, beside a copy of their parameters."""
    teachers = workload.model.teachers()
    theirs = [p for teacher in teachers for p in teacher.model.parameters()]
    if not theirs:
        return {}
    ours = [torch.empty_like(p) for p in theirs]
    seconds = take_turns(
        {
            'update': lambda _: workload.model.update_teachers(),
            'copy': lambda _: torch._foreach_copy_(ours, theirs)
        }, 2 * rounds + 1, synchronize)
    return dict(
        parameters=sum(p.numel() for p in theirs),
        update=seconds['update'].summary()['wall'],
        copy=seconds['copy'].summary()['wall'],
        ratio=seconds['update'].ratio_to(seconds['copy'])['wall'])


def _memory(workload: Workload, passes: list[NetworkPass],
            device: torch.device) -> dict[str, float]:
    there = [*workload.model.parameters(), *workload.model.buffers()]
    largest = largest_forward(passes, there)
    data = workload.batch()
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
    with SavedActivations(there) as saved:
        workload.iterate(data)
    memory = dict(
        activations_of_iteration=saved.peak,
        activations_of_largest_forward=largest)
    if largest:
        memory['ratio'] = saved.peak / largest
    if device.type == 'cuda':
        memory['cuda_peak'] = torch.cuda.max_memory_allocated(device)
    # kilobytes on Linux
    memory['resident_peak'] = 1024 * resource.getrusage(
        resource.RUSAGE_SELF).ru_maxrss
    return memory


def largest_forward(passes: list[NetworkPass],
                    there: Iterable[Tensor]) -> int:
    """Most bytes that the forward pass of an objective keeps.

    Where an objective goes through the student's parts by itself, they are
    one pass.

    Args:
        passes (list[NetworkPass]): Those of a recorded iteration.
        there (Iterable[Tensor]): Parameters and buffers, which do not count.
    """
    there = list(there)
    peaks = [0]
    for (_, is_part), group in groupby(passes, _kind_of_pass):
        kept: list = []
        saved = SavedActivations(there)
        for network_pass in group:
            if not is_part:
                kept.clear()
                saved = SavedActivations(there)
            if isinstance(network_pass, (StudentPass, ModulePass)):
                with saved:
                    kept.append(network_pass.forward())
            peaks.append(saved.peak)
    return max(peaks)


def _kind_of_pass(network_pass: NetworkPass) -> tuple[str, bool]:
    return network_pass.objective, network_pass.kind == MODULE

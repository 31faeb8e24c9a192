# Copyright (c) mic_mm authors. All rights reserved.
"""Tables about several runs: how far they came, and their last values."""
from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Optional

from .class_values import class_metric
from .config_diff import ABSENT
from .html_page import table
from .run_record import RunRecord
from .scalars import Curve

_HEADER = ('run', 'iterations', 'seed', 'starts', 'seconds per iteration',
           'memory (MiB)', 'work directory')


def overview(runs: Sequence[RunRecord]) -> str:
    """A row about each run."""
    return table(_HEADER, [[
        run.name,
        _progress(run),
        _seed(run),
        f'{len(run.starts)}',
        _value(run, 'time', statistics.median, '.3f'),
        _value(run, 'memory', max, '.0f'),
        str(run.folder),
    ] for run in runs], 'text')


def last_values(runs: Sequence[RunRecord]) -> str:
    """Last and largest value of each validation metric; '' without any."""
    names = list(dict.fromkeys(
        name for run in runs for name in run.scalars.validation
        if class_metric(name) is None))
    if not names:
        return ''
    return table(['last value (largest, at iteration)',
                  *(run.name for run in runs)],
                 [[name, *_values_of(name, runs)] for name in names])


def _values_of(name: str, runs: Sequence[RunRecord]) -> list[str]:
    """Of each run, with the same number of decimals."""
    curves = [run.scalars.validation.get(name) for run in runs]
    values = [v for curve in curves if curve is not None for v in curve[1]]
    # Shares have three decimals, percentages two.
    decimals = 3 if max(map(abs, values)) <= 1.5 else 2
    return [_last(curve, decimals) for curve in curves]


def _last(curve: Optional[Curve], decimals: int) -> str:
    if curve is None:
        return ABSENT
    steps, values = curve
    largest = max(range(len(values)), key=values.__getitem__)
    text = f'{values[-1]:.{decimals}f}'
    if values[largest] == values[-1]:
        return text
    return f'{text} ({values[largest]:.{decimals}f} at {steps[largest]:g})'


def _progress(run: RunRecord) -> str:
    steps, _ = run.scalars.training.get('iter', ([], []))
    done = f'{steps[-1]:g}' if steps else ABSENT
    planned = ((run.config or {}).get('train_cfg') or {}).get('max_iters')
    return done if planned is None else f'{done} of {planned}'


def _seed(run: RunRecord) -> str:
    seed = ((run.config or {}).get('randomness') or {}).get('seed')
    return ABSENT if seed is None else str(seed)


def _value(run: RunRecord, name: str, summarize, form: str) -> str:
    _, values = run.scalars.training.get(name, ([], []))
    return format(summarize(values), form) if values else ABSENT

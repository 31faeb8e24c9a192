# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..datasets.class_statistics import ClassStatistics


@dataclass(frozen=True)
class Outcome:
    """What came of one label map.

    Attributes:
        file (str): Path of the label map.
        counts (dict): Pixels of each class that occurs.
        problem (str, optional): Why it is not used.
        is_new (bool): Whether work was done, or was found done.
    """

    file: str
    counts: dict[int, int] = field(default_factory=dict)
    problem: str | None = None
    is_new: bool = True


def count_classes(labels: np.ndarray, ignore_index: int) -> dict[int, int]:
    """Number of pixels of each value, 0 to 255, but the ignored one."""
    pixels = np.bincount(labels.reshape(-1), minlength=1)
    return {
        int(c): int(pixels[c])
        for c in np.flatnonzero(pixels) if c != ignore_index
    }


def statistics_of(outcomes: Sequence[Outcome]) -> ClassStatistics:
    """Statistics of the label maps that can be used."""
    return ClassStatistics(
        {o.file: o.counts for o in outcomes if o.problem is None})


def report(outcomes: Sequence[Outcome], verb: str) -> int:
    """Print what was done and, by name, what was not.

    Returns:
        int: Exit code: 0 if every file can be used, else 1.
    """
    problems = [o for o in outcomes if o.problem is not None]
    for outcome in problems:
        print(f'{outcome.file}: {outcome.problem}', file=sys.stderr)
    done = sum(o.is_new for o in outcomes if o.problem is None)
    complete = len(outcomes) - done - len(problems)
    print(f'{len(outcomes)} label maps: {done} {verb}, {complete} were '
          f'complete, {len(problems)} left out' +
          (' (named above)' if problems else ''))
    return 1 if problems else 0

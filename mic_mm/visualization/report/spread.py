# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Spread:
    """Mean and spread of the results of several seeds.

    Attributes:
        mean (float): Arithmetic mean.
        deviation (float, optional): Sample standard deviation (divided by
            n - 1); None for a single seed, which says nothing about it.
        count (int): Number of seeds.
    """

    mean: float
    deviation: Optional[float]
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Mean and spread of at least one value."""
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return cls(statistics.fmean(values), deviation, len(values))

    def __str__(self) -> str:
        if self.deviation is None:
            return f'{self.mean:.1f}'
        return f'{self.mean:.1f} ± {self.deviation:.1f}'

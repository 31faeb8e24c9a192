# Copyright (c) mic_mm authors. All rights reserved.
"""Which class and which image rare class sampling takes, and when it stops."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from mic_mm.core.draws import RandomDraws

from .class_statistics import ClassStatistics

Crop = TypeVar('Crop')


def class_probabilities(totals: Mapping[int, int],
                        temperature: float) -> dict[int, float]:
    r"""Probability of drawing each class; rare ones are drawn more often.

    .. math::
        P(c) = \frac{\exp((1 - f_c)/T)}{\sum_{c'} \exp((1 - f_{c'})/T)},
        \qquad f_c = \frac{n_c}{\sum_{c'} n_{c'}}

    (DAFormer, Hoyer et al., 2022, eq. 10).  Classes without pixels are left
    out.

    Args:
        totals (dict): Number of pixels :math:`n_c` of each class.
        temperature (float): :math:`T > 0`; the smaller, the more the rarest
            classes are preferred.

    Returns:
        dict[int, float]: Probabilities, in the order of increasing number of
        pixels.
    """
    classes = sorted((c for c in totals if totals[c] > 0),
                     key=lambda c: (totals[c], c))
    pixels = np.array([totals[c] for c in classes], dtype=np.float64)
    logits = (1 - pixels / pixels.sum()) / temperature
    weights = np.exp(logits - logits.max())
    return dict(zip(classes, (weights / weights.sum()).tolist()))


class RareClasses:
    """Draws a class, rare ones more often, and a label map that has it.

    Args:
        statistics (ClassStatistics): Pixels of each class in each label map.
        temperature (float): See :func:`class_probabilities`.
        min_pixels (int): A label map has a class if there are more pixels of
            it.

    Raises:
        ValueError: If the statistics are empty, or no label map has enough
            pixels of a class that occurs.

    Attributes:
        probabilities (dict[int, float]): Probability of each class.
        candidates (dict[int, list[str]]): Label maps that have it.
    """

    def __init__(self, statistics: ClassStatistics, temperature: float,
                 min_pixels: int) -> None:
        totals = statistics.totals()
        if not totals:
            raise ValueError(
                'The class statistics are empty: they list '
                f'{len(statistics.counts)} label maps and no pixel of any '
                'class. Make them anew with '
                'tools/dataset_converters/class_statistics.py.')
        self.probabilities = class_probabilities(totals, temperature)
        self._cumulative = np.cumsum(list(self.probabilities.values()))
        self.candidates = {
            c: list(statistics.files_with(c, min_pixels))
            for c in self.probabilities
        }
        self._check_candidates(statistics, min_pixels)

    def draw(self, draws: RandomDraws) -> tuple[int, str]:
        """Draw a class and, uniformly, a label map that has it."""
        u = float(draws.uniform('class')) * self._cumulative[-1]
        place = int(np.searchsorted(self._cumulative, u, side='right'))
        class_id = list(self.probabilities)[min(
            place, len(self.probabilities) - 1)]
        files = self.candidates[class_id]
        # float32 may round to 1.
        place = min(
            int(float(draws.uniform('image')) * len(files)), len(files) - 1)
        return class_id, files[place]

    def _check_candidates(self, statistics: ClassStatistics,
                          min_pixels: int) -> None:
        largest = {
            c: max(statistics.files_with(c).values())
            for c, files in self.candidates.items() if not files
        }
        if largest:
            raise ValueError(
                f'No label map has more than min_pixels={min_pixels} pixels '
                'of these classes (class: most pixels in a label map): '
                f'{largest}. Choose a smaller min_pixels.')


def redraw_until_enough(crop: Callable[[int], tuple[Crop, int]],
                        enough: float,
                        max_redraws: int = 10) -> Crop:
    """Draw crops until one has more than ``enough`` pixels of a class.

    Args:
        crop (Callable): ``crop(k)`` makes the k-th crop, from 0, and counts
            its pixels of the class.
        enough (float): Number of pixels that is not yet enough.
        max_redraws (int): How often another crop is drawn; the last one is
            taken as it is. Defaults to 10.
    """
    for k in range(max_redraws + 1):
        result, pixels = crop(k)
        if pixels > enough:
            break
    return result

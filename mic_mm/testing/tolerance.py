# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Optional

import numpy as np
from torch import Tensor

# Smaller entries carry no relative precision.
_NEGLIGIBLE_SHARE_OF_ROW = 1e-5


@dataclass(frozen=True)
class Tolerance:
    r"""By how much a result may deviate from a recorded array :math:`b`.

    Allowed for each entry is

    .. math::
        rtol\,|b| + \max(atol, peak\,\max|b|) + atol_{max} \max|b|
        + atol_{row} \max|b_{row}| + atol_{gmax}\,G

    where a row runs along the last axis and :math:`G` is the largest L2 norm
    among the gradients of the file.  NaN has to be where it was.

    Attributes:
        rtol, atol, atol_max, atol_row, atol_gmax, atol_of_peak (float): As
            above; ``atol_of_peak`` is :math:`peak`.
        largest_gradient (float): :math:`G`.
        outliers (float): Share of entries that may deviate by more.
        exact (bool): All entries have to be equal.
        max_mismatch (int, optional): Number of entries that may be unequal.
        rel_median, rel_max (float, optional): Bounds of the median and the
            maximum of the relative deviation of all entries above 1e-5 of
            their row's maximum, in the place of all other bounds.
        informative (bool): Nothing is asserted.
    """

    rtol: float = 0.
    atol: float = 0.
    atol_max: float = 0.
    atol_row: float = 0.
    atol_gmax: float = 0.
    atol_of_peak: float = 0.
    largest_gradient: float = 0.
    outliers: float = 0.
    exact: bool = False
    max_mismatch: Optional[int] = None
    rel_median: Optional[float] = None
    rel_max: Optional[float] = None
    informative: bool = False

    @classmethod
    def from_rule(cls, rule: dict, largest_gradient: float = 0.) -> Tolerance:
        """Read a rule of a manifest.

        Raises:
            ValueError: If the rule has a bound that is not known here.
        """
        comments = {'arrays', 'compare', 'note', 'rounding_share_of_tolerance'}
        bounds = {k: v for k, v in rule.items() if k not in comments}
        unknown = set(bounds) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f'Unknown tolerance {sorted(unknown)} in {rule}.')
        return cls(largest_gradient=largest_gradient, **bounds)

    def check(self, actual: Any, expected: Any, label: str = 'array') -> None:
        """Assert that ``actual`` lies within the tolerance of ``expected``.

        Raises:
            AssertionError: If it does not, or the shapes differ.
        """
        if self.informative:
            return
        actual, expected = _as_array(actual), _as_array(expected)
        if actual.shape != expected.shape:
            raise AssertionError(f'{label}: shape {actual.shape} instead of '
                                 f'{expected.shape}.')
        if self.exact or self.max_mismatch is not None:
            _raise_if_more(~_equal(actual, expected), self.max_mismatch or 0,
                           actual, expected, f'{label}: equality')
        elif self.rel_median is not None or self.rel_max is not None:
            self._check_relative(actual, expected, label)
        else:
            deviates = ~_equal(actual, expected) & ~(
                np.abs(actual - expected) <= self._allowed(expected))
            _raise_if_more(deviates, self.outliers * expected.size, actual,
                           expected, f'{label}: {self._describe()}')

    def _allowed(self, expected: np.ndarray) -> np.ndarray:
        magnitude = np.abs(np.nan_to_num(expected))
        peak = magnitude.max(initial=0.)
        return (self.rtol * magnitude +
                max(self.atol, self.atol_of_peak * peak) +
                self.atol_max * peak + self.atol_row * _row_max(magnitude) +
                self.atol_gmax * self.largest_gradient)

    def _check_relative(self, actual, expected, label) -> None:
        magnitude = np.abs(expected)
        counts = magnitude > _NEGLIGIBLE_SHARE_OF_ROW * _row_max(magnitude)
        deviation = np.abs(actual - expected)[counts] / magnitude[counts]
        for name, bound, value in (
            ('median', self.rel_median, np.median(deviation)),
            ('maximum', self.rel_max, deviation.max())):
            # Not `value > bound`, which is false for NaN.
            if bound is not None and not value <= bound:
                raise AssertionError(f'{label}: {name} of the relative '
                                     f'deviation {value:.3g} > {bound:.3g}.')

    def _describe(self) -> str:
        return ', '.join(f'{field.name}={getattr(self, field.name)}'
                         for field in fields(self)
                         if getattr(self, field.name) not in (None, 0))


def _as_array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.dtype.kind in 'biu':
        return array.astype(np.int64)
    return array.astype(np.float64)


def _equal(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return (actual == expected) | (np.isnan(actual) & np.isnan(expected))


def _row_max(magnitude: np.ndarray) -> np.ndarray:
    if magnitude.ndim == 0:
        return magnitude
    return magnitude.max(axis=-1, keepdims=True, initial=0.)


def _raise_if_more(deviates, allowed, actual, expected, label) -> None:
    count = int(np.count_nonzero(deviates))
    if count <= allowed:
        return
    difference = np.where(deviates, np.abs(actual - expected), -1)
    worst = np.unravel_index(
        np.argmax(np.nan_to_num(difference, nan=np.inf)), difference.shape)
    raise AssertionError(
        f'{label}: {count} of {deviates.size} entries deviate; the worst is '
        f'{actual[worst]!r} instead of {expected[worst]!r} at index '
        f'{tuple(map(int, worst))}.')

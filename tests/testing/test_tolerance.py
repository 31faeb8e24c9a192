# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch

from mic_mm.testing.tolerance import Tolerance

B = np.array([[1., -10., 0.], [100., 0., 2.]])


@pytest.mark.parametrize('rule, allowed', [
    (dict(atol=0.5), np.full((2, 3), 0.5)),
    (dict(rtol=0.1), 0.1 * np.abs(B)),
    (dict(rtol=0.1, atol=0.5), 0.1 * np.abs(B) + 0.5),
    (dict(atol_max=0.01), np.full((2, 3), 1.)),
    (dict(atol_row=0.01), np.array([[0.1] * 3, [1.] * 3])),
    (dict(atol_gmax=0.01, atol=0.1), np.full((2, 3), 0.37)),
    (dict(atol=0.5, atol_of_peak=0.001), np.full((2, 3), 0.5)),
    (dict(atol=0.5, atol_of_peak=0.01), np.full((2, 3), 1.)),
])
def test_each_bound_is_sharp(rule, allowed):
    tolerance = Tolerance.from_rule(rule, largest_gradient=27.)
    tolerance.check(B + 0.999 * allowed, B)
    tolerance.check(B - 0.999 * allowed, B)
    for index in np.ndindex(B.shape):
        off = B.copy()
        off[index] += 1.001 * allowed[index] + 1e-12
        with pytest.raises(AssertionError, match='1 of 6'):
            tolerance.check(off, B)


def test_exact_compares_values_not_types():
    tolerance = Tolerance(exact=True)
    tolerance.check(torch.tensor([True, False]), np.array([1, 0], np.uint8))
    tolerance.check(torch.tensor([-0., 1.]), np.array([0., 1.]))
    with pytest.raises(AssertionError):
        tolerance.check(torch.tensor([1., 1. + 1e-6]), np.array([1., 1.]))


def test_max_mismatch_counts_unequal_entries():
    tolerance = Tolerance(max_mismatch=2)
    tolerance.check([1, 9, 9, 4], [1, 2, 3, 4])
    with pytest.raises(AssertionError, match='3 of 4'):
        tolerance.check([9, 9, 9, 4], [1, 2, 3, 4])


def test_outliers_are_a_share_of_the_entries():
    tolerance = Tolerance(atol=0.1, outliers=0.25)
    tolerance.check([5., 2., 3., 4.], [1., 2., 3., 4.])
    with pytest.raises(AssertionError):
        tolerance.check([5., 5., 3., 4.], [1., 2., 3., 4.])


def test_relative_statistics_leave_out_negligible_entries():
    expected = np.array([[1., 1., 1., 1e-6], [1e-6, 1e-6, 1e-6, 1e-6]])
    tolerance = Tolerance(rel_median=0.01, rel_max=0.1)
    close = expected * 1.005
    close[0, 0] = 1.09
    close[0, 3] = 5e-6  # below 1e-5 of its row
    tolerance.check(close, expected)
    with pytest.raises(AssertionError, match='maximum'):
        tolerance.check(np.where(expected == 1, 1.11, expected), expected)
    with pytest.raises(AssertionError, match='median'):
        tolerance.check(expected * 1.02, expected)


def test_informative_asserts_nothing():
    actual, expected = [1.], [[2., 3.]]
    with pytest.raises(AssertionError):
        Tolerance(atol=0.5).check(actual, expected)
    Tolerance(informative=True).check(actual, expected)


@pytest.mark.parametrize('tolerance', [
    Tolerance(atol=1e9), Tolerance(rel_median=1e9), Tolerance(rel_max=1e9)
])
def test_nan_is_never_within(tolerance):
    with pytest.raises(AssertionError):
        tolerance.check([float('nan'), 1.], [1., 1.])


def test_nan_has_to_be_where_it_was():
    nan = float('nan')
    Tolerance(atol=0.1).check([nan, 1.], [nan, 1.05])
    with pytest.raises(AssertionError):
        Tolerance(atol=0.1).check([1., 1.], [nan, 1.])


def test_shapes_have_to_be_equal():
    with pytest.raises(AssertionError, match=r'\(1, 2\) instead of \(2,\)'):
        Tolerance(atol=1).check([[1., 2.]], [1., 2.])


def test_message_shows_the_worst_entry():
    with pytest.raises(AssertionError, match=r'loss.*7\.0.*3\.0.*\(1, 0\)'):
        Tolerance(atol=0.1).check([[1.5, 2.], [7., 4.]], [[1., 2.], [3., 4.]],
                                  'loss')


def test_unknown_bound_is_refused():
    with pytest.raises(ValueError, match='rtol_max'):
        Tolerance.from_rule(dict(arrays='*', rtol_max=1))

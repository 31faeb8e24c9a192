# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.testing.draws import RecordedDraws


def test_numbers_are_replayed_by_name_through_scopes():
    draws = RecordedDraws({'mic.mask.noise': [[0.25, 0.5]], 'mic.order': [1, 0]})
    scoped = draws.scoped('mic')
    assert scoped.uniform_per_sample('mask.noise', 1, 2).tolist() == [[0.25, 0.5]]
    assert scoped.permutation('order', 2).tolist() == [1, 0]
    draws.assert_all_used()


def test_missing_number_is_named():
    with pytest.raises(KeyError, match='mask.noise'):
        RecordedDraws({}).uniform('mask.noise')


def test_number_of_another_shape_is_refused():
    with pytest.raises(ValueError, match='noise'):
        RecordedDraws({'noise': torch.rand(3)}).uniform('noise', 2)


def test_unused_number_is_reported():
    draws = RecordedDraws({'noise': 0.5, 'spare': 0.1})
    draws.uniform('noise')
    with pytest.raises(AssertionError, match='spare'):
        draws.assert_all_used()

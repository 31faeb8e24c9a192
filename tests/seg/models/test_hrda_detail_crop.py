# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch

from mic_mm.core.draws import SeededDraws
from mic_mm.seg.models.hrda import Box, DetailCrop
from mic_mm.testing.draws import RecordedDraws


def test_published_offsets_leave_out_the_last_one():
    # HRDA: numpy.random.randint(0, (margin + 1) // 8) * 8
    published = {
        int(offset) * 8
        for offset in np.random.RandomState(0).randint(0, 513 // 8, 5000)
    }
    assert set(DetailCrop((512, 512)).offsets(512)) == published
    assert max(published) == 504


def test_full_range_reaches_the_border():
    offsets = DetailCrop((512, 512), full_range=True).offsets(512)
    assert (offsets[0], offsets[-1], len(offsets)) == (0, 512, 65)


def test_offsets_are_uniform_and_axes_independent():
    crop = DetailCrop((16, 16))
    boxes = [
        crop.draw((48, 32), SeededDraws(0, iteration)) for iteration in
        range(2000)
    ]
    tops, lefts = np.array([[b.top, b.left] for b in boxes]).T
    assert set(tops) == {0, 8, 16, 24}
    assert set(lefts) == {0, 8}
    for offset in (0, 8, 16, 24):
        assert np.mean(tops == offset) == pytest.approx(0.25, abs=0.04)
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.06
    assert all(b.bottom - b.top == b.right - b.left == 16 for b in boxes)


def test_without_draws_it_follows_the_global_generator():
    crop = DetailCrop((16, 16))
    torch.manual_seed(3)
    first = [crop.draw((64, 64), None) for _ in range(5)]
    torch.manual_seed(3)
    assert [crop.draw((64, 64), None) for _ in range(5)] == first
    assert len(set(first)) > 1


def test_a_crop_of_the_whole_image_draws_nothing():
    crop = DetailCrop((32, 48))
    assert crop.draw((32, 48), RecordedDraws({})) == Box(0, 32, 0, 48)


def test_a_margin_along_one_axis_only():
    draws = RecordedDraws({'detail_crop.x': torch.tensor(0.99)})
    assert DetailCrop((32, 32)).draw((32, 64), draws) == Box(0, 32, 24, 56)


def test_errors_name_sizes():
    with pytest.raises(ValueError, match=r'\(30, 32\).*crop_coord_divisible'):
        DetailCrop((30, 32))
    with pytest.raises(ValueError, match=r'\(32, 32\) is larger.*\(64, 31\)'):
        DetailCrop((32, 32)).draw((64, 31), None)

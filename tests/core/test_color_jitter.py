# Copyright (c) mic_mm authors. All rights reserved.
import colorsys
import re

import numpy as np
import pytest
import torch

from mic_mm.core.color_jitter import ColorJitter, ColorJitterParams, jitter
from mic_mm.core.draws import SeededDraws
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.testing.golden import load_golden

STATISTICS = PixelStatistics((123.675, 116.28, 103.53),
                             (58.395, 57.12, 57.375))


def _jitter_by_colorsys(pixel, factors, order):
    """Jitter one pixel with the standard library, as an oracle."""
    b, c, s, h = factors
    for operation in order:
        if operation == 0:
            pixel = [min(max(x + b - 1, 0), 1) for x in pixel]
        elif operation == 1:
            pixel = [min(max(x * c, 0), 1) for x in pixel]
        else:
            hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
            if operation == 2:
                saturation = min(saturation * s, 1)
            else:
                hue = (hue + h) % 1
            pixel = colorsys.hsv_to_rgb(hue, saturation, value)
    return pixel


@pytest.mark.golden
def test_jitter_equals_the_original__seg_case05():
    case = load_golden('seg', 'case05')
    statistics = PixelStatistics(case['mean'], case['std'])
    mean, std = (case[name][:, None, None] for name in ('mean', 'std'))
    names = case.names('jitter_out_*')
    assert names
    for name in names:
        size, call = re.fullmatch(r'jitter_out_(\d+x\d+)_(\d+)', name).groups()
        images = (case[f'rgb_{size}'].astype(np.float32) - mean) / std
        params = ColorJitterParams(
            torch.from_numpy(case[f'factors_{size}_{call}']),
            torch.from_numpy(case[f'order_{size}_{call}']))
        jittered = ColorJitter().apply(
            torch.from_numpy(images), statistics, params)
        case.assert_within(name, jittered)


@pytest.mark.parametrize('order', [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_operations_equal_those_of_colorsys(order):
    generator = torch.Generator().manual_seed(0)
    rgb = torch.rand(3, 3, 5, 4, generator=generator)
    rgb[0, :, 0] = rgb[0, :1, 0]  # grey
    rgb[1, :2, 0] = 1.  # two equal maxima
    rgb[2, :, 1] = 0.  # black
    factors = torch.tensor([[0.8, 1.2, 1.19, -0.2], [1.2, 0.8, 0.81, 0.2],
                            [1.1, 1.15, 1., 0.07]])
    jittered = jitter(rgb, factors, order)
    for b in range(3):
        for row in range(5):
            for col in range(4):
                expected = _jitter_by_colorsys(rgb[b, :, row, col].tolist(),
                                               factors[b].tolist(), order)
                # colorsys has no 1e-6 in the saturation.
                np.testing.assert_allclose(
                    jittered[b, :, row, col], expected, atol=1e-5)


def test_bgr_images_are_jittered_as_their_rgb_version():
    images = torch.randn(2, 3, 8, 8)
    bgr = PixelStatistics(STATISTICS.mean[::-1], STATISTICS.std[::-1], 'bgr')
    params = ColorJitter().draw(SeededDraws(0, 0), 2)
    jittered = ColorJitter().apply(images, STATISTICS, params)
    jittered_bgr = ColorJitter().apply(images.flip(1), bgr, params)
    assert torch.allclose(jittered_bgr.flip(1), jittered, atol=1e-6)
    # Taking BGR for RGB would go unnoticed otherwise.
    taken_for_rgb = ColorJitter().apply(images.flip(1), STATISTICS, params)
    assert not torch.allclose(taken_for_rgb.flip(1), jittered, atol=1e-2)


def test_factors_lie_in_their_ranges():
    params = ColorJitter(0.3).draw(SeededDraws(0, 0), 2000)
    low, high = params.factors.aminmax(dim=0)
    assert torch.allclose(
        low, torch.tensor([0.7, 0.7, 0.7, -0.3]), atol=5e-3)
    assert torch.allclose(high, torch.tensor([1.3, 1.3, 1.3, 0.3]), atol=5e-3)
    correlation = torch.corrcoef(params.factors.T) - torch.eye(4)
    assert correlation.abs().max() < 0.1


def test_share_batch_draws_one_order_and_sample_one_for_each_image():
    draws = SeededDraws(0, 0)
    common = ColorJitter().draw(draws, 64).order
    assert sorted(common.tolist()) == [0, 1, 2, 3]
    orders = ColorJitter().draw(draws, 64, 'sample').order
    assert (orders.sort(1).values == torch.arange(4)).all()
    assert len({tuple(order) for order in orders.tolist()}) > 12


def test_orders_of_each_image_are_applied_to_it():
    images = torch.randn(3, 3, 8, 8)
    params = ColorJitter().draw(SeededDraws(1, 0), 3, 'sample')
    together = ColorJitter().apply(images, STATISTICS, params)
    for i in range(3):
        alone = ColorJitterParams(params.factors[i:i + 1], params.order[i])
        expected = ColorJitter().apply(images[i:i + 1], STATISTICS, alone)
        assert torch.equal(together[i:i + 1], expected)


@pytest.mark.parametrize('share', ['batch', 'sample'])
def test_two_ranks_jitter_as_one_rank(share):
    images = torch.randn(4, 3, 8, 8)
    together = ColorJitter()(images, STATISTICS, SeededDraws(3, 7), share)
    for rank in range(2):
        draws = SeededDraws(3, 7, rank, 2)
        alone = ColorJitter()(images[rank::2], STATISTICS, draws, share)
        assert torch.equal(alone, together[rank::2])


def test_input_is_left_unchanged_and_no_graph_is_built():
    images = torch.randn(2, 3, 8, 8, requires_grad=True)
    before = images.detach().clone()
    jittered = ColorJitter()(images, STATISTICS, SeededDraws(0, 0))
    assert torch.equal(images, before)
    assert not jittered.requires_grad and jittered.dtype == images.dtype


def test_strength_zero_changes_nothing_but_rounding():
    images = STATISTICS.from_unit_rgb(torch.rand(2, 3, 8, 8))
    jittered = ColorJitter(0)(images, STATISTICS, SeededDraws(0, 0))
    assert torch.allclose(jittered, images, atol=1e-4)


def test_images_of_one_channel_are_refused():
    with pytest.raises(ValueError, match='three channels.*color_aug'):
        ColorJitter()(torch.randn(2, 1, 8, 8), STATISTICS, SeededDraws(0, 0))


@pytest.mark.parametrize('strength', [-0.1, 0.6, '0.2', None])
def test_strength_outside_of_its_range_is_refused(strength):
    with pytest.raises(ValueError, match='strength='):
        ColorJitter(strength)


def test_unknown_share_is_refused():
    with pytest.raises(ValueError, match="share='rank'"):
        ColorJitter().draw(SeededDraws(0, 0), 2, 'rank')

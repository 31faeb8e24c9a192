# Copyright (c) mic_mm authors. All rights reserved.
import re

import numpy as np
import pytest
import torch

from mic_mm.core.color_augmentation import ColorAugmentation, ColorAugmentationParams
from mic_mm.core.color_jitter import ColorJitter, ColorJitterParams
from mic_mm.core.draws import SeededDraws
from mic_mm.core.gaussian_blur import GaussianBlur
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.registry import TASK_UTILS
from mic_mm.testing.golden import load_golden

STATISTICS = PixelStatistics((123.675, 116.28, 103.53),
                             (58.395, 57.12, 57.375))


class _FixedDecision(SeededDraws):
    """Replays ``u`` for both decisions."""

    def __init__(self, u):
        super().__init__(seed=0, iteration=0)
        self.u = u

    def uniform(self, name, *shape, low=0., high=1.):
        if name.endswith('_decision'):
            return torch.tensor(self.u, dtype=torch.float32)
        return super().uniform(name, *shape, low=low, high=high)


@pytest.mark.golden
def test_jitter_followed_by_blur_equals_the_original__seg_case05():
    case = load_golden('seg', 'case05')
    statistics = PixelStatistics(case['mean'], case['std'])
    mean, std = (case[name][:, None, None] for name in ('mean', 'std'))
    names = case.names('both_out_*')
    assert names
    for name in names:
        size, call = re.fullmatch(r'both_out_(\d+x\d+)_(\d+)', name).groups()
        images = (case[f'rgb_{size}'].astype(np.float32) - mean) / std
        params = ColorAugmentationParams(
            jitter=ColorJitterParams(
                torch.from_numpy(case[f'factors_{size}_{call}']),
                torch.from_numpy(case[f'order_{size}_{call}'])),
            sigma=torch.from_numpy(case[f'sigma_{size}_{call}']))
        augmented = ColorAugmentation().apply(
            torch.from_numpy(images), statistics, params)
        case.assert_within(name, augmented)


@pytest.mark.golden
def test_decisions_equal_the_original__seg_case05():
    case = load_golden('seg', 'case05')
    for u, jitter, blur in case['decisions']:
        params = ColorAugmentation().draw(_FixedDecision(u), 2)
        assert (params.jitter is not None) == bool(jitter), u
        assert (params.sigma is not None) == bool(blur), u


def test_decisions_have_their_probabilities():
    augmentation = ColorAugmentation(0.8, 0.5)
    params = [augmentation.draw(SeededDraws(0, it), 1) for it in range(2000)]
    jittered = np.mean([p.jitter is not None for p in params])
    blurred = np.mean([p.sigma is not None for p in params])
    both = np.mean([
        p.jitter is not None and p.sigma is not None for p in params
    ])
    # Standard errors of at most 0.011; 0.8 * 0.5 for independent decisions.
    assert abs(jittered - 0.8) < 0.045
    assert abs(blurred - 0.5) < 0.045
    assert abs(both - 0.4) < 0.045


@pytest.mark.parametrize('u', [0., 0.5, 1 - 2**-24])
def test_probability_0_is_never_and_1_is_always(u):
    never = ColorAugmentation(0, 0).draw(_FixedDecision(u), 2)
    assert never.jitter is None and never.sigma is None
    always = ColorAugmentation(1, 1).draw(_FixedDecision(u), 2)
    assert always.jitter is not None and always.sigma is not None


@pytest.mark.parametrize('share', ['batch', 'sample'])
def test_equals_its_parts(share):
    images, draws = torch.randn(3, 3, 40, 40), SeededDraws(0, 5)
    augmented = ColorAugmentation(1, 1, share=share)(images, STATISTICS, draws)
    expected = ColorJitter()(images, STATISTICS, draws, share)
    expected = GaussianBlur()(expected, draws, share)
    assert torch.equal(augmented, expected)


def test_share_decides_on_orders_and_sigmas():
    draws = SeededDraws(0, 0)
    batch = ColorAugmentation(1, 1, share='batch').draw(draws, 5)
    assert batch.jitter.order.shape == (4, ) and batch.sigma.shape == ()
    sample = ColorAugmentation(1, 1, share='sample').draw(draws, 5)
    assert sample.jitter.order.shape == (5, 4) and sample.sigma.shape == (5, )
    for params in (batch, sample):
        assert len(params.jitter.factors.unique(dim=0)) == 5


def test_nothing_decided_returns_the_images_as_they_are():
    images = torch.randn(2, 3, 8, 8)
    augmented = ColorAugmentation(0, 0)(images, STATISTICS, SeededDraws(0, 0))
    assert torch.equal(augmented, images)


def test_grey_images_need_no_statistics_without_jitter():
    images = torch.randn(2, 1, 40, 40)
    augmented = ColorAugmentation(0, 1)(images, None, SeededDraws(0, 0))
    assert augmented.shape == images.shape
    assert not torch.equal(augmented, images)


def test_arguments_of_the_parts_can_be_configured():
    augmentation = TASK_UTILS.build(
        dict(
            type='mic_mm.ColorAugmentation',
            jitter=dict(strength=0.1),
            blur=dict(sigma=(0.3, 0.4))))
    assert augmentation.jitter.strength == 0.1
    assert augmentation.blur.sigma == (0.3, 0.4)


@pytest.mark.parametrize('cfg, message', [
    (dict(jitter_probability=1.2), 'jitter_probability=1.2'),
    (dict(blur_probability=-1), 'blur_probability=-1'),
    (dict(share='rank'), "share='rank'"),
    (dict(jitter=dict(strength=2)), 'strength=2'),
])
def test_values_out_of_range_are_refused(cfg, message):
    with pytest.raises(ValueError, match=message):
        ColorAugmentation(**cfg)

# Copyright (c) mic_mm authors. All rights reserved.
"""The masked view of the original's detection code."""
import pytest
import torch

from mic_mm.core import (BlockMask, ColorAugmentation, GaussianBlur,
                         PixelStatistics)
from mic_mm.core.color_jitter import ColorJitter, ColorJitterParams, jitter
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden

pytestmark = pytest.mark.golden
# Written into the original: it jitters if a coin exceeds 0.2.
JITTER_PROBABILITY, BLUR_PROBABILITY = 0.8, 0.5
FACTORS = ('brightness', 'contrast', 'saturation', 'hue')


@pytest.fixture(scope='module')
def case():
    return load_golden('det', 'masking')


def network_input(case, variant):
    mean = torch.tensor(case.config['mean_bgr']).view(1, 3, 1, 1)
    return torch.from_numpy(case[f'{variant}/image']).float() - mean


def statistics_of(case):
    return PixelStatistics(
        case.config['mean_bgr'], case.config['std'], channel_order='bgr')


def masked_view(case, variant, augmented):
    mask = BlockMask(case.config['mask_ratio'],
                     case.config['mask_block_size'])
    noise = torch.from_numpy(case[f'{variant}/mask_draw'])
    return mask(augmented, RecordedDraws({'mask.noise': noise}))


def decided(case, variant):
    """Whether ours jitters and blurs with the recorded coins."""
    coins = case[f'{variant}/coins']
    return [
        bool(coin > 1 - probability) for coin, probability in zip(
            coins, (JITTER_PROBABILITY, BLUR_PROBABILITY))
    ]


def test_masked_view_equals_the_original__det_masking_no_aug(case):
    masked = masked_view(case, 'no_aug', network_input(case, 'no_aug'))
    case.assert_within('no_aug/masked', masked)


def test_blurred_view_equals_the_original__det_masking_blur(case):
    assert decided(case, 'blur') == [False, True]
    augment = ColorAugmentation(jitter_probability=0, blur_probability=1)
    draws = RecordedDraws({'color.sigma': case['blur/sigma']})
    augmented = augment(
        network_input(case, 'blur'), statistics_of(case), draws)
    draws.assert_all_used()
    case.assert_within('blur/augmented', augmented)
    masked = masked_view(case, 'blur', augmented)
    case.assert_within('blur/masked_mean', masked.mean((2, 3)))


def recorded_jitter(case, variant):
    factors = torch.stack([
        torch.from_numpy(case[f'{variant}/{name}_factor']) for name in FACTORS
    ], 1)
    return ColorJitterParams(factors,
                             torch.from_numpy(case[f'{variant}/order']))


def test_jitter_in_the_units_of_the_original_is_reproduced__det_masking(case):
    """The original hands BGR in [0, 255] to operations on RGB in [0, 1]."""
    variant = 'jitter_broken'
    assert decided(case, variant) == [True, True]
    params = recorded_jitter(case, variant)
    pixels = torch.from_numpy(case[f'{variant}/image']).float()
    mean = torch.tensor(case.config['mean_bgr']).view(1, 3, 1, 1)
    jittered = jitter(pixels, params.factors, params.order.tolist()) - mean
    sigma = torch.from_numpy(case[f'{variant}/sigma'])
    augmented = GaussianBlur().apply(jittered, sigma)
    case.assert_within(f'{variant}/augmented', augmented)
    masked = masked_view(case, variant, augmented)
    case.assert_within(f'{variant}/masked_mean', masked.mean((2, 3)))


def test_our_jitter_keeps_the_picture_that_the_original_loses(case):
    """Ours converts to RGB in [0, 1] first: a deliberate difference."""
    variant = 'jitter_broken'
    inputs, statistics = network_input(case, variant), statistics_of(case)
    ours = ColorJitter().apply(inputs, statistics,
                               recorded_jitter(case, variant))
    mean = torch.tensor(case.config['mean_bgr']).view(1, 3, 1, 1)
    theirs = torch.from_numpy(case[f'{variant}/augmented']) + mean
    assert (theirs - 1).abs().median() < 0.01  # nearly constant
    assert (ours + mean).std() > 0.5 * (inputs + mean).std()
    assert 0 <= (ours + mean).min() + 1e-3 and (ours + mean).max() < 256

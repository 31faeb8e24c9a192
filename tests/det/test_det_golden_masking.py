# Copyright (c) mic_mm authors. All rights reserved.
"""The masked view of the original's detection code."""
import pytest
import torch

from mic_mm.core import BlockMask, ColorAugmentation, GaussianBlur, PixelStatistics
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


def decided(case, variant):
    """Whether ours jitters and blurs with the recorded coins."""
    if not case.config[variant]['augmentation']:
        return False, False
    return tuple(
        bool(coin > 1 - probability) for coin, probability in zip(
            case[f'{variant}/coins'], (JITTER_PROBABILITY, BLUR_PROBABILITY)))


def variants(case, jitters):
    found = [name.removesuffix('/image') for name in case.names('*/image')]
    chosen = [v for v in found if decided(case, v)[0] == jitters]
    assert chosen
    return chosen


def check(case, variant, augmented):
    """Compare the augmented view, and what the recorded mask leaves of it."""
    mask = BlockMask(case.config['mask_ratio'],
                     case.config['mask_block_size'])
    noise = torch.from_numpy(case[f'{variant}/mask_draw'])
    masked = mask(augmented, RecordedDraws({'mask.noise': noise}))
    found = dict(
        augmented=augmented, masked=masked, masked_mean=masked.mean((2, 3)))
    recorded = [name for name in found if f'{variant}/{name}' in case]
    assert recorded
    for name in recorded:
        case.assert_within(f'{variant}/{name}', found[name])


def test_masked_views_equal_the_original__det_masking(case):
    for variant in variants(case, jitters=False):
        _, blurs = decided(case, variant)
        augment = ColorAugmentation(
            jitter_probability=0, blur_probability=int(blurs))
        draws = RecordedDraws(
            {'color.sigma': case[f'{variant}/sigma']} if blurs else {})
        check(
            case, variant,
            augment(
                network_input(case, variant), statistics_of(case), draws))
        draws.assert_all_used()


def recorded_jitter(case, variant):
    factors = torch.stack([
        torch.from_numpy(case[f'{variant}/{name}_factor']) for name in FACTORS
    ], 1)
    return ColorJitterParams(factors,
                             torch.from_numpy(case[f'{variant}/order']))


def test_jitter_in_the_units_of_the_original_is_reproduced__det_masking(case):
    """The original hands BGR in [0, 255] to operations on RGB in [0, 1]."""
    for variant in variants(case, jitters=True):
        params = recorded_jitter(case, variant)
        pixels = torch.from_numpy(case[f'{variant}/image']).float()
        mean = torch.tensor(case.config['mean_bgr']).view(1, 3, 1, 1)
        view = jitter(pixels, params.factors, params.order.tolist()) - mean
        if decided(case, variant)[1]:
            view = GaussianBlur().apply(
                view, torch.from_numpy(case[f'{variant}/sigma']))
        check(case, variant, view)


def test_our_jitter_keeps_the_picture_that_the_original_loses__det(case):
    """Ours converts to RGB in [0, 1] first: a deliberate difference."""
    mean = torch.tensor(case.config['mean_bgr']).view(1, 3, 1, 1)
    for variant in variants(case, jitters=True):
        inputs = network_input(case, variant)
        ours = ColorJitter().apply(inputs, statistics_of(case),
                                   recorded_jitter(case, variant)) + mean
        theirs = torch.from_numpy(case[f'{variant}/augmented']) + mean
        assert theirs.std() < 0.1 * inputs.std()
        assert ours.std() > 0.5 * inputs.std()
        assert -1e-3 <= ours.min() and ours.max() < 255 + 1e-3

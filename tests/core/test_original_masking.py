# Copyright (c) mic_mm authors. All rights reserved.
"""The masked view of the original's classification code."""
import random

import pytest
import torch

from mic_mm.core import BlockMask, ColorAugmentation, PixelStatistics
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden

pytestmark = pytest.mark.golden
# Our names of the recorded draws.
DRAWS = dict(
    brightness_factor='color.brightness',
    contrast_factor='color.contrast',
    saturation_factor='color.saturation',
    hue_factor='color.hue',
    order='color.order',
    sigma='color.sigma',
    mask_draw='mask.noise')
BLUR_PROBABILITY = 0.5  # written into the original


def decisions(coins, config):
    """Draws of whether to jitter and whether to blur."""
    return RecordedDraws({
        'color.jitter_decision': torch.tensor(coins[0]),
        'color.blur_decision': torch.tensor(coins[1])
    }), 1 - config['mask_color_jitter_p'], BLUR_PROBABILITY


def color_augmentation(case, variant, config):
    """With decisions taken once, as probabilities of 0 and 1."""
    jitters, blurs = 0, 0
    if f'{variant}/coins' in case:
        draws, *probabilities = decisions(case[f'{variant}/coins'], config)
        params = ColorAugmentation(*probabilities).draw(_AnyDraws(draws), 1)
        jitters, blurs = params.jitter is not None, params.sigma is not None
    return ColorAugmentation(
        int(jitters),
        int(blurs),
        jitter=dict(strength=config['mask_color_jitter_s']))


class _AnyDraws(RecordedDraws):
    """Recorded decisions; what follows from them does not matter."""

    def __init__(self, recorded):
        super().__init__(recorded._numbers)

    def _replay(self, name, shape):
        if name in self._numbers:
            return super()._replay(name, shape)
        return torch.zeros(shape)


def variants(case):
    return [name.removesuffix('/image') for name in case.names('*/image')]


def test_masked_views_equal_the_original__cls_masking():
    case = load_golden('cls', 'masking')
    statistics = PixelStatistics([255 * x for x in case.config['norm_mean']],
                                 [255 * x for x in case.config['norm_std']])
    assert variants(case)
    for variant in variants(case):
        config = case.config[variant]
        augment = color_augmentation(case, variant, config)
        mask = BlockMask(config['mask_ratio'], config['mask_block_size'])
        images = torch.from_numpy(case[f'{variant}/image'])
        for name in case.names(f'{variant}/call*/masked'):
            call = name.removesuffix('/masked')
            draws = RecordedDraws({
                ours: case[f'{call}/{theirs}']
                for theirs, ours in DRAWS.items()
                if f'{call}/{theirs}' in case
            })
            augmented = augment(images, statistics, draws)
            if f'{call}/augmented' in case:
                case.assert_within(f'{call}/augmented', augmented)
            masked = mask(augmented, draws)
            case.assert_within(name, masked)
            assert torch.equal(masked == 0, torch.from_numpy(case[name] == 0))
            draws.assert_all_used()


def test_decisions_of_a_seed_equal_the_original__cls_masking_coins():
    case = load_golden('cls', 'masking_coins')
    ours = []
    for seed, coins in zip(case['seed'], case['coins']):
        generator = random.Random(int(seed))
        case.assert_within('coins', [generator.random() for _ in range(2)],
                           coins)
        draws, *probabilities = decisions(coins, case.config)
        params = ColorAugmentation(*probabilities).draw(_AnyDraws(draws), 1)
        ours.append([params.jitter is not None, params.sigma is not None])
    case.assert_within('applied', ours)

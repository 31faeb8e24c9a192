# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch

from mic_mm.core.block_mask import BlockMask, keep_mask
from mic_mm.core.draws import SeededDraws
from mic_mm.registry import TASK_UTILS
from mic_mm.testing.golden import load_golden


@pytest.mark.golden
def test_masks_equal_the_original__seg_case01():
    case = load_golden('seg', 'case01')
    for i, (height, width, block_size, ratio) in enumerate(case['combos']):
        size = (int(height), int(width))
        noise = torch.from_numpy(case[f'noise{i}'])
        grid = BlockMask(block_size=int(block_size)).grid(size)
        assert grid == tuple(noise.shape[-2:]), f'combo {i}'
        case.assert_within(f'mask{i}', keep_mask(noise, ratio, size))


@pytest.mark.golden
def test_masked_images_equal_the_original__seg_case01():
    case = load_golden('seg', 'case01')
    for name in case.names('masked_image*'):
        i = int(name.removeprefix('masked_image'))
        _, _, block_size, ratio = case['combos'][i]
        mask = BlockMask(float(ratio), int(block_size))
        masked = mask.apply(
            torch.from_numpy(case[f'image{i}']),
            torch.from_numpy(case[f'noise{i}']))
        case.assert_within(name, masked)


@pytest.mark.golden
def test_noise_equal_to_the_ratio_is_removed__seg_case01():
    case = load_golden('seg', 'case01')
    _, _, _, ratio = case['combos'][0]
    noise = case['noise0']
    at_ratio = noise == np.float32(ratio)
    assert at_ratio.any()
    # One pixel for each cell: the mask is the grid itself.
    keep = keep_mask(torch.from_numpy(noise), ratio, noise.shape[-2:])
    assert not keep.numpy()[at_ratio].any()


@pytest.mark.parametrize('size, block_size, expected', [
    ((64, 128), 32, (2, 4)),
    ((160, 96), 64, (2, 2)),  # 2.5 and 1.5: halves go to the even neighbour
    ((224, 224), 64, (4, 4)),  # 3.5
    ((40, 33), 64, (1, 1)),
])
def test_grid_rounds_half_to_even(size, block_size, expected):
    assert BlockMask(block_size=block_size).grid(size) == expected


def test_hidden_blocks_are_zero_and_visible_ones_unchanged():
    images = torch.randn(3, 3, 64, 96)
    masked = BlockMask(0.5, 32)(images, SeededDraws(0, 0))
    blocks = masked.unfold(2, 32, 32).unfold(3, 32, 32)
    originals = images.unfold(2, 32, 32).unfold(3, 32, 32)
    hidden = (blocks == 0).flatten(4).all(-1)
    visible = (blocks == originals).flatten(4).all(-1)
    assert (hidden ^ visible).all()
    assert hidden.any() and visible.any()
    # One mask for all channels.
    assert (hidden == hidden[:, :1]).all()


def test_share_of_removed_blocks_is_the_ratio():
    images = torch.ones(32, 1, 320, 320)
    masked = BlockMask(0.7, 32)(images, SeededDraws(0, 0))
    # 3200 blocks: the standard error of their mean is 0.008.
    assert abs(float((masked == 0).float().mean()) - 0.7) < 0.033


def test_images_of_a_batch_and_iterations_get_different_masks():
    images = torch.ones(2, 1, 256, 256)
    mask = BlockMask(0.5, 32)
    first, second = (mask(images, SeededDraws(0, it)) for it in (0, 1))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    assert torch.equal(first, mask(images, SeededDraws(0, 0)))


def test_ratio_zero_is_the_identity():
    images = torch.randn(2, 3, 32, 32)
    noise = torch.zeros(2, 1, 2, 2)
    assert torch.equal(BlockMask(0, 16).apply(images, noise), images)


def test_input_is_left_unchanged_and_no_graph_is_built():
    images = torch.randn(2, 3, 32, 32, requires_grad=True)
    before = images.detach().clone()
    masked = BlockMask(0.5, 16)(images, SeededDraws(0, 0))
    assert torch.equal(images, before)
    assert not masked.requires_grad


def test_half_precision_images_stay_half_precision():
    images = torch.randn(1, 3, 32, 32, dtype=torch.bfloat16)
    assert BlockMask(0.5, 16)(images, SeededDraws(0, 0)).dtype == images.dtype


def test_two_ranks_hide_what_one_rank_hides():
    images = torch.randn(4, 3, 64, 64)
    mask = BlockMask(0.5, 16)
    together = mask(images, SeededDraws(3, 7))
    for rank in range(2):
        alone = mask(images[rank::2], SeededDraws(3, 7, rank, 2))
        assert torch.equal(alone, together[rank::2])


@pytest.mark.parametrize('ratio', [-0.1, 1, 1.5, float('nan'), '0.7', None])
def test_ratio_outside_of_its_range_is_refused(ratio):
    with pytest.raises(ValueError, match=r'ratio=.*\[0, 1\)'):
        BlockMask(ratio=ratio)


@pytest.mark.parametrize('block_size', [0, -32, 32.5, '32', True, None])
def test_block_size_has_to_be_a_positive_integer(block_size):
    with pytest.raises(ValueError, match='block_size=.*positive integer'):
        BlockMask(block_size=block_size)


@pytest.mark.parametrize('size', [(32, 256), (256, 20)])
def test_mask_larger_than_the_image_is_refused(size):
    with pytest.raises(ValueError, match=f'64.*{size[0]}x{size[1]}'):
        BlockMask(block_size=64)(torch.ones(1, 3, *size), SeededDraws(0, 0))


def test_is_built_by_its_prefixed_name():
    mask = TASK_UTILS.build(
        dict(type='mic_mm.BlockMask', ratio=0.3, block_size=8))
    assert (mask.ratio, mask.block_size) == (0.3, 8)

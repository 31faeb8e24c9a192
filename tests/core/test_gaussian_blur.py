# Copyright (c) mic_mm authors. All rights reserved.
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mic_mm.core.draws import SeededDraws
from mic_mm.core.gaussian_blur import GaussianBlur, blur_kernel_size, gaussian_kernel
from mic_mm.testing.golden import load_golden


def _dense_blur(images, sigma):
    """The full two-dimensional kernel in float64, one image at a time."""
    height, width = images.shape[-2:]
    rows, columns = blur_kernel_size(height), blur_kernel_size(width)
    y = torch.arange(rows, dtype=torch.float64) - rows // 2
    x = torch.arange(columns, dtype=torch.float64) - columns // 2
    kernel = torch.exp(-(y[:, None]**2 + x**2) / (2 * float(sigma)**2))
    kernel = (kernel / kernel.sum()).expand(images.size(1), 1, -1, -1)
    padded = F.pad(
        images.double(),
        (columns // 2, columns // 2, rows // 2, rows // 2),
        mode='reflect')
    return F.conv2d(padded, kernel, groups=images.size(1)).float()


@pytest.mark.golden
def test_blur_equals_the_original__seg_case05():
    case = load_golden('seg', 'case05')
    mean, std = (case[name][:, None, None] for name in ('mean', 'std'))
    names = case.names('blur_out_*')
    assert names
    for name in names:
        size, call = re.fullmatch(r'blur_out_(\d+x\d+)_(\d+)', name).groups()
        images = (case[f'rgb_{size}'].astype(np.float32) - mean) / std
        sigma = torch.from_numpy(case[f'sigma_{size}_{call}'])
        blurred = GaussianBlur().apply(torch.from_numpy(images), sigma)
        case.assert_within(name, blurred)


@pytest.mark.golden
def test_kernel_sizes_equal_the_original__seg_case05():
    case = load_golden('seg', 'case05')
    case.assert_within('kernel_size',
                       [blur_kernel_size(int(n)) for n in case['kernel_n']])


@pytest.mark.parametrize('sigma', [0.15, 0.5, 1.15])
@pytest.mark.parametrize('size', [(21, 47), (64, 200), (16, 260)])
def test_separable_kernel_equals_the_dense_one(size, sigma):
    images = torch.randn(2, 3, *size)
    blurred = GaussianBlur().apply(images, torch.tensor(sigma))
    assert torch.allclose(blurred, _dense_blur(images, sigma), atol=1e-6)


def test_small_sides_are_not_blurred():
    images = torch.randn(1, 3, 20, 20)
    blurred = GaussianBlur().apply(images, torch.tensor(1.))
    assert torch.equal(blurred, images)


def test_kernel_is_cut_off_only_where_it_vanishes():
    taps = gaussian_kernel(torch.tensor([1.15]), blur_kernel_size(1024))[0]
    reach = 9  # 7 standard deviations
    middle = len(taps) // 2
    assert taps[:middle - reach].sum() + taps[middle + reach + 1:].sum() < 1e-11


def test_each_image_is_blurred_with_its_own_sigma():
    images = torch.randn(3, 3, 40, 32)
    sigma = torch.tensor([0.2, 0.7, 1.1])
    blurred = GaussianBlur().apply(images, sigma)
    for i in range(3):
        expected = _dense_blur(images[i:i + 1], sigma[i])
        assert torch.allclose(blurred[i:i + 1], expected, atol=1e-6)


def test_share_decides_on_the_number_of_sigmas():
    blur = GaussianBlur((0.5, 0.9))
    assert blur.draw(SeededDraws(0, 0), 4).shape == ()
    sigma = blur.draw(SeededDraws(0, 0), 500, 'sample')
    assert sigma.shape == (500, )
    assert 0.5 <= sigma.min() < 0.51 and 0.89 < sigma.max() <= 0.9


@pytest.mark.parametrize('share', ['batch', 'sample'])
def test_two_ranks_blur_as_one_rank(share):
    images = torch.randn(4, 3, 40, 40)
    together = GaussianBlur()(images, SeededDraws(3, 7), share)
    for rank in range(2):
        draws = SeededDraws(3, 7, rank, 2)
        alone = GaussianBlur()(images[rank::2], draws, share)
        assert torch.allclose(alone, together[rank::2], atol=1e-6)


def test_autocast_does_not_lower_the_precision():
    images = torch.randn(1, 3, 40, 40)
    expected = GaussianBlur().apply(images, torch.tensor(1.))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        blurred = GaussianBlur().apply(images, torch.tensor(1.))
    assert torch.equal(blurred, expected)


def test_grey_images_are_blurred():
    images = torch.randn(2, 1, 40, 40)
    blurred = GaussianBlur().apply(images, torch.tensor(1.))
    assert torch.allclose(blurred, _dense_blur(images, 1.), atol=1e-6)


@pytest.mark.parametrize('sigma', [(0, 1), (1.2, 0.3), 0.5, (0.1, 0.2, 0.3)])
def test_sigma_has_to_be_a_range(sigma):
    with pytest.raises(ValueError, match='sigma='):
        GaussianBlur(sigma)

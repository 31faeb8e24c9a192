# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.core.pixel_statistics import PixelStatistics


@pytest.mark.parametrize('as_tensor', [False, True])
def test_to_unit_rgb__undoes_the_normalisation(as_tensor):
    mean, std = (100., 110., 120.), (50., 60., 70.)
    if as_tensor:
        mean, std = torch.tensor(mean), torch.tensor(std)
    images = torch.tensor([1., 2., -1.]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    rgb = PixelStatistics(mean, std).to_unit_rgb(images)
    expected = torch.tensor([150., 230., 50.]) / 255
    assert torch.allclose(rgb[0, :, 0, 0], expected)


def test_to_unit_rgb__reverses_bgr():
    images = torch.tensor([0., 51., 255.]).view(1, 3, 1, 1)
    statistics = PixelStatistics((0, ) * 3, (1, ) * 3, 'bgr')
    rgb = statistics.to_unit_rgb(images)
    assert torch.allclose(rgb.flatten(), torch.tensor([1., 0.2, 0.]))


@pytest.mark.parametrize('channel_order', ['rgb', 'bgr'])
def test_from_unit_rgb__is_the_inverse(channel_order):
    statistics = PixelStatistics((100, 110, 120), (50, 60, 70), channel_order)
    images = torch.randn(2, 3, 4, 5)
    there_and_back = statistics.from_unit_rgb(statistics.to_unit_rgb(images))
    assert torch.allclose(there_and_back, images, atol=1e-5)


def test_half_precision_images_are_denormalised_in_float32():
    statistics = PixelStatistics((100, 110, 120), (50, 60, 70))
    images = torch.randn(1, 3, 4, 4, dtype=torch.bfloat16)
    assert statistics.to_unit_rgb(images).dtype == torch.float32


def test_unknown_channel_order_is_refused():
    with pytest.raises(ValueError, match="channel_order='hsv'"):
        PixelStatistics((0, ) * 3, (1, ) * 3, 'hsv')


def test_mean_and_std_of_different_length_are_refused():
    with pytest.raises(ValueError, match='mean has 3 and std 1'):
        PixelStatistics((0, ) * 3, (1, ))

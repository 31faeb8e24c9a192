# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from PIL import Image

from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.visualization.tiles import Box, draw_boxes, resize, scale_to, text_color, to_pixels

MEAN, STD = (10., 20., 30.), (2., 4., 8.)


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_normalisation_is_undone(order):
    rgb = np.array([[[200, 100, 50], [0, 255, 7]]], dtype=np.uint8)
    channels = rgb if order == 'rgb' else rgb[..., ::-1]
    image = torch.tensor((channels - np.array(MEAN)) / STD).permute(2, 0, 1)
    drawn = to_pixels(image, PixelStatistics(MEAN, STD, order))
    assert drawn.tolist() == rgb.tolist()


def test_grey_image_becomes_three_equal_channels():
    drawn = to_pixels(torch.full((1, 1, 2), 1.), PixelStatistics([50.], [10.]))
    assert drawn.tolist() == [[[60, 60, 60], [60, 60, 60]]]


def test_pixels_beyond_the_range_are_clipped():
    image = torch.tensor([-9., 0., 999.]).view(3, 1, 1)
    drawn = to_pixels(image, PixelStatistics([0.] * 3, [1.] * 3))
    assert drawn.tolist() == [[[0, 0, 255]]]


def test_small_images_are_enlarged_by_whole_numbers():
    assert scale_to((28, 28), 160) == 6
    assert scale_to((48, 64), 160) == 2
    assert scale_to((512, 1024), 256) == 0.25


def test_enlarged_pixels_stay_squares():
    pixels = np.array([[[9, 9, 9], [200, 0, 0]]], dtype=np.uint8)
    drawn = np.asarray(resize(pixels, 3.))
    assert drawn.tolist() == np.kron(pixels, np.ones((3, 3, 1))).tolist()


def test_box_is_drawn_where_it_is_after_scaling():
    picture = Image.new('RGB', (100, 100))
    draw_boxes(picture, [Box((5, 6, 9, 8), 'x', (0, 0, 255))], factor=10.)
    blue = np.argwhere((np.asarray(picture) == (0, 0, 255)).all(-1))
    frame = [point for point in blue.tolist() if point[0] >= 60]
    assert min(frame) == [60, 50] and max(frame) == [80, 90]


def test_tag_of_a_box_at_the_border_stays_inside():
    picture = Image.new('RGB', (60, 60), 'white')
    box = Box((55, 0, 60, 5), 'pedestrian', (200, 0, 0))
    draw_boxes(picture, [box], factor=1.)
    tag = (np.asarray(picture)[:20] == (200, 0, 0)).all(-1)
    assert tag.any(0)[:40].any()  # moved to the left as a whole


def test_text_is_readable_on_its_background():
    assert text_color((255, 255, 0)) == 'black'
    assert text_color((0, 0, 200)) == 'white'

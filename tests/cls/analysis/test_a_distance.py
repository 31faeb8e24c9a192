# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

pytest.importorskip('mmpretrain')

from mic_mm.cls.analysis import a_distance  # noqa: E402


def gaussian(count, shift, seed, dims=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dims, generator=generator) + shift


def test_domains_far_apart_have_distance_two():
    assert a_distance(gaussian(300, 0, 0), gaussian(200, 9, 1)) == 2


def test_equal_domains_have_no_distance():
    # The error on 2 * 400 images is 0.5 with a standard error of 0.018.
    distance = a_distance(gaussian(2000, 0, 0), gaussian(2000, 0, 1))
    assert abs(distance) < 4 * 4 * 0.018


def test_overlap_gives_the_error_of_the_best_linear_classifier():
    # Two unit Gaussians at a distance of 2 in one of the dimensions: the
    # error is P(N(0, 1) > 1) = 0.1587.
    shift = torch.tensor([2., 0, 0, 0, 0])
    distance = a_distance(gaussian(4000, 0, 0), gaussian(4000, shift, 1))
    assert distance == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.1)


def test_scale_and_size_of_the_domains_do_not_matter():
    source, target = gaussian(500, 0, 0), gaussian(500, 1., 1)
    assert a_distance(source * 1e3, target * 1e3) == pytest.approx(
        a_distance(source, target))
    few = a_distance(source, torch.cat([target] + 4 * [gaussian(500, 1., 2)]))
    assert few == pytest.approx(a_distance(source, target), abs=0.4)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match='10 images.*got 300 and 9'):
        a_distance(gaussian(300, 0, 0), gaussian(9, 0, 0))

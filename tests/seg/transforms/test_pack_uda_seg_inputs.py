# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest

from mic_mm.seg.transforms import PackUDASegInputs


def test_labels_and_images_of_different_size_are_refused_by_file():
    results = dict(
        img=np.zeros((8, 8, 3), np.uint8),
        gt_seg_map=np.zeros((8, 7), np.uint8),
        img_path='image.png',
        seg_map_path='labels.png')
    with pytest.raises(
            ValueError, match=r'label map of image.png is \(8, 7\).*labels.png'):
        PackUDASegInputs()(results)


def test_a_map_larger_than_the_image_is_refused():
    results = dict(
        img=np.zeros((8, 8, 3), np.uint8),
        pseudo_label_valid=np.ones((9, 8), np.uint8),
        img_path='image.png')
    with pytest.raises(ValueError, match='pseudo_label_valid of image.png'):
        PackUDASegInputs()(results)


def test_without_a_map_nothing_is_added():
    packed = PackUDASegInputs()(dict(img=np.zeros((8, 8, 3), np.uint8)))
    assert list(packed['data_samples'].keys()) == []

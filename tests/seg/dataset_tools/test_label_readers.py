# Copyright (c) mic_mm authors. All rights reserved.
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mic_mm.seg.dataset_tools.label_readers import (
    read_cityscapes_polygons,
    read_index_image,
    read_synthia_label,
)


def polygons(path, objects, size=(20, 10)):
    content = dict(
        imgWidth=size[0],
        imgHeight=size[1],
        objects=[
            dict(label=label, polygon=points, **flags)
            for label, points, flags in objects
        ])
    path.write_text(json.dumps(content))
    return path


def box(x1, y1, x2, y2):
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def test_palette_images_are_read_as_indices(tmp_path):
    labels = np.array([[7, 26], [0, 33]], np.uint8)
    image = Image.fromarray(labels)
    image.putpalette([i // 3 * 7 % 256 for i in range(768)])
    image.save(tmp_path / 'p.png')
    assert Image.open(tmp_path / 'p.png').mode == 'P'
    assert np.array_equal(read_index_image(tmp_path / 'p.png'), labels)


def test_colours_are_refused(tmp_path):
    Image.new('RGB', (4, 4)).save(tmp_path / 'rgb.png')
    with pytest.raises(ValueError, match='colours .mode RGB'):
        read_index_image(tmp_path / 'rgb.png')


def test_synthia_has_its_ids_in_the_red_channel_of_16_bits(tmp_path):
    labels = np.zeros((4, 6, 3), np.uint16)
    labels[..., 2] = np.arange(24).reshape(4, 6)  # OpenCV writes BGR
    labels[..., 1] = 500  # numbers of instances
    cv2.imwrite(str(tmp_path / 's.png'), labels)
    found = read_synthia_label(tmp_path / 's.png')
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.arange(24).reshape(4, 6))


@pytest.mark.parametrize('pixels', [None, np.zeros((4, 4), np.uint8)])
def test_other_images_are_no_labels_of_synthia(tmp_path, pixels):
    path = tmp_path / 's.png'
    path.write_bytes(b'no image')
    if pixels is not None:
        cv2.imwrite(str(path), pixels)
    with pytest.raises(ValueError, match='cannot be read|three channels'):
        read_synthia_label(path)


def test_later_polygons_cover_earlier_ones(tmp_path):
    labels = read_cityscapes_polygons(
        polygons(tmp_path / 'a.json', [
            ('road', box(0, 0, 19, 9), {}),
            ('cargroup', box(2, 2, 5, 5), {}),
            ('ego vehicle', box(0, 8, 19, 9), {}),
        ]))
    expected = np.full((10, 20), 7)
    expected[2:6, 2:6] = 26
    expected[8:] = 0
    assert np.array_equal(labels, expected)


def test_what_is_deleted_or_a_licence_plate_is_not_drawn(tmp_path):
    labels = read_cityscapes_polygons(
        polygons(tmp_path / 'a.json', [
            ('sky', box(0, 0, 19, 9), {}),
            ('license plate', box(1, 1, 3, 3), {}),
            ('person', box(5, 5, 7, 7), dict(deleted=1)),
        ]))
    assert (labels == 23).all()


def test_areas_without_polygons_have_no_class(tmp_path):
    labels = read_cityscapes_polygons(
        polygons(tmp_path / 'a.json', [('polegroup', box(0, 0, 3, 3), {})]))
    assert (labels == 0).all() and labels.shape == (10, 20)


def test_unknown_names_and_other_files_are_refused(tmp_path):
    path = polygons(tmp_path / 'a.json', [('tree', box(0, 0, 3, 3), {})])
    with pytest.raises(ValueError, match="unknown class 'tree'"):
        read_cityscapes_polygons(path)
    path.write_text('{}')
    with pytest.raises(ValueError, match='no polygons of Cityscapes'):
        read_cityscapes_polygons(path)

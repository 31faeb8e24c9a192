# Copyright (c) mic_mm authors. All rights reserved.
"""Reads the published label maps, as ids."""
from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..datasets.label_ids import CITYSCAPES_IDS

_CITYSCAPES_NAMES = {
    'road': 7,
    'sidewalk': 8,
    'building': 11,
    'wall': 12,
    'fence': 13,
    'pole': 17,
    'traffic light': 19,
    'traffic sign': 20,
    'vegetation': 21,
    'terrain': 22,
    'sky': 23,
    'person': 24,
    'rider': 25,
    'car': 26,
    'truck': 27,
    'bus': 28,
    'train': 31,
    'motorcycle': 32,
    'bicycle': 33,
}
# Areas without a class; they cover what was drawn before.
_WITHOUT_CLASS = ('unlabeled', 'ego vehicle', 'rectification border',
                  'out of roi', 'static', 'dynamic', 'ground', 'parking',
                  'rail track', 'guard rail', 'bridge', 'tunnel', 'polegroup',
                  'caravan', 'trailer')
_NOT_DRAWN = 'license plate'
_GROUP = 'group'
_NO_ID = 0

assert set(_CITYSCAPES_NAMES.values()) == set(CITYSCAPES_IDS)


def read_index_image(path: Path) -> np.ndarray:
    """Read ids that are grey values or indices of a palette (GTA, Cityscapes).

    Raises:
        ValueError: If the file holds colours.
    """
    with Image.open(path) as image:
        if image.mode not in ('P', 'L', 'I', 'I;16'):
            raise ValueError(f'its pixels are colours (mode {image.mode}), '
                             'not ids')
        return np.array(image)


def read_synthia_label(path: Path) -> np.ndarray:
    """Read the ids of SYNTHIA: the red channel of an image of 16 bit.

    Pillow does not read such images.

    Raises:
        ValueError: If the file cannot be read or has one channel.
    """
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None:
        raise ValueError('it cannot be read as an image')
    if label.ndim != 3:
        raise ValueError(f'it has the shape {label.shape}; three channels '
                         'are expected')
    return label[:, :, -1]


def read_cityscapes_polygons(path: Path) -> np.ndarray:
    """Draw the polygons of Cityscapes in their order, as ids.

    A group such as ``cargroup`` is of the class of its members. Licence
    plates are not drawn.

    Raises:
        ValueError: If a name is unknown or the file holds no polygons.
    """
    content = json.loads(path.read_text())
    try:
        size = content['imgWidth'], content['imgHeight']
        objects = [(entry['label'], entry['polygon'])
                   for entry in content['objects'] if not entry.get('deleted')]
    except (KeyError, TypeError) as error:
        raise ValueError(f'it holds no polygons of Cityscapes '
                         f'({error!r})') from error
    image = Image.new('L', size, _NO_ID)
    draw = ImageDraw.Draw(image)
    for name, polygon in objects:
        value = _polygon_id(name)
        if value is not None:
            draw.polygon([tuple(point) for point in polygon], fill=value)
    return np.array(image)


def _polygon_id(name: str) -> int | None:
    known = name in _CITYSCAPES_NAMES or name in _WITHOUT_CLASS
    if not known and name.endswith(_GROUP):
        name = name.removesuffix(_GROUP)
    if name == _NOT_DRAWN:
        return None
    if name in _WITHOUT_CLASS:
        return _NO_ID
    if name not in _CITYSCAPES_NAMES:
        raise ValueError(f'it has polygons of the unknown class {name!r}')
    return _CITYSCAPES_NAMES[name]

# Copyright (c) mic_mm authors. All rights reserved.
"""Boxes of the instance maps of Cityscapes."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from .records import AnnotatedImage, BoxObject, ImageRecord, image_size, inclusive_box

# Classes with instances that are evaluated, by their id in the label maps.
LABEL_IDS = dict(
    person=24,
    rider=25,
    car=26,
    truck=27,
    bus=28,
    train=31,
    motorcycle=32,
    bicycle=33)
# An instance is numbered 1000 * label id + count, a group by its label id.
_PER_LABEL = 1000
STYLES = ('mic', 'mmdet')


@dataclass(frozen=True)
class InstanceMapReader:
    """Reads the objects of an instance map.

    ``'mic'``: the rules by which the annotations of MIC, SADA and
    maskrcnn-benchmark were made.  Groups are left out; so is an instance if
    one of the outer contours of its parts has at most two points, which
    happens where something in front leaves a sliver of it.  Categories are
    1 to 8, in the order of :data:`LABEL_IDS`.

    ``'mmdet'``: those of MMDetection's converter.  Groups are crowds, every
    instance is kept, categories are the label ids.

    The average precisions of the two are not comparable.

    Attributes:
        style (str): Which rules. Defaults to ``'mic'``.
        decode_images (bool): Decode each image. Defaults to False.
    """

    style: str = 'mic'
    decode_images: bool = False

    def categories(self) -> list[dict]:
        """Categories of the COCO file."""
        return [
            dict(id=i if self.style == 'mic' else label, name=name)
            for i, (name, label) in enumerate(LABEL_IDS.items(), 1)
        ]

    def __call__(self, item: AnnotatedImage) -> ImageRecord:
        """Read an instance map.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If image and instance map differ in size, or the map
                has no instance numbers.
        """
        with Image.open(item.annotation) as opened:
            instances = np.asarray(opened)
        width, height = image_size(item.image, self.decode_images)
        if instances.ndim != 2:
            raise ValueError('it is a colour image, not an instance map')
        if instances.shape != (height, width):
            raise ValueError(
                f'it is {instances.shape[0]}x{instances.shape[1]} (height x '
                f'width), but its image {item.image} is {height}x{width}')
        found = list(self._objects(instances.astype(np.int32)))
        objects = tuple(o for o in found if o is not None)
        return ImageRecord(item.file_name, width, height, objects,
                           len(found) - len(objects))

    def _objects(self, instances: np.ndarray):
        """An object for each number, None for each that is left out."""
        ids = {c['name']: c['id'] for c in self.categories()}
        categories = {LABEL_IDS[name]: i for name, i in ids.items()}
        for number in np.unique(instances).tolist():
            crowd = number < _PER_LABEL
            category = categories.get(number if crowd else number //
                                      _PER_LABEL)
            if category is None or (crowd and self.style == 'mic'):
                continue
            yield self._object(instances == number, category, crowd)

    def _object(self, mask: np.ndarray, category: int,
                crowd: bool) -> BoxObject | None:
        rows, columns = (np.flatnonzero(mask.any(axis=axis))
                         for axis in (1, 0))
        top, bottom, left, right = (int(v) for v in (
            rows[0], rows[-1], columns[0], columns[-1]))
        box = inclusive_box(left, top, right, bottom)
        inside = mask[top:bottom + 1, left:right + 1]
        if self.style == 'mic' and _has_sliver(inside):
            return None
        return BoxObject(category, box, int(np.count_nonzero(inside)), crowd)


def _has_sliver(mask: np.ndarray) -> bool:
    """Whether an outer contour has at most two points."""
    # A margin: parts that end at the edge of the map are as any other.
    contours, _ = cv2.findContours(
        np.pad(mask, 1).astype(np.uint8), cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_NONE)
    return any(len(contour) <= 2 for contour in contours)

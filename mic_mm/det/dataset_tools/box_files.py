# Copyright (c) mic_mm authors. All rights reserved.
"""Boxes of Pascal VOC's XML files and of KITTI's text files."""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from .records import AnnotatedImage, BoxObject, ImageRecord, image_size, inclusive_box

# Columns of a line of KITTI: type, truncated, occluded, alpha, left, top,
# right, bottom, and seven in three dimensions.
_KITTI_COLUMNS = 15


@dataclass(frozen=True)
class VOCReader:
    """Reads the XML files of Pascal VOC, as Sim10k has them.

    Pixels are counted from 1 there, and the corners belong to the box.
    Boxes are cut off at the edge of the image.

    Attributes:
        classes (tuple): Names of the categories, with ids from 1. Objects of
            other names are left out.
        decode_images (bool): Decode each image. Defaults to False.
    """

    classes: tuple[str, ...]
    decode_images: bool = False

    def categories(self) -> list[dict]:
        """Categories of the COCO file."""
        return _categories(self.classes)

    def __call__(self, item: AnnotatedImage) -> ImageRecord:
        """Read a file.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If it is no annotation.
        """
        try:
            root = ElementTree.parse(item.annotation).getroot()
        except ElementTree.ParseError as error:
            raise ValueError(f'it is no XML ({error})') from error
        return _record(item, self._boxes(root), self.classes,
                       self.decode_images)

    def _boxes(self, root: ElementTree.Element) -> Iterator[tuple]:
        for element in root.iter('object'):
            corners = [
                element.findtext(f'bndbox/{name}')
                for name in ('xmin', 'ymin', 'xmax', 'ymax')
            ]
            if None in corners:
                raise ValueError('an object has no complete bndbox')
            name = (element.findtext('name') or '').strip()
            yield (name, *(float(value) - 1 for value in corners))


@dataclass(frozen=True)
class KITTIReader:
    """Reads the text files of KITTI's object detection.

    Pixels are counted from 0, and the corners belong to the box.

    Attributes:
        types (dict): Names of the categories, with ids from 1, by the type in
            the files, e.g. ``{'Car': 'car'}``. Objects of other types are
            left out, ``DontCare`` among them.
        decode_images (bool): Decode each image. Defaults to False.
    """

    types: tuple[tuple[str, str], ...] = (('Car', 'car'), )
    decode_images: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the categories, each once."""
        return tuple(dict.fromkeys(name for _, name in self.types))

    def categories(self) -> list[dict]:
        """Categories of the COCO file."""
        return _categories(self.classes)

    def __call__(self, item: AnnotatedImage) -> ImageRecord:
        """Read a file.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If a line is no object.
        """
        lines = item.annotation.read_text().splitlines()
        return _record(item, self._boxes(lines), self.classes,
                       self.decode_images)

    def _boxes(self, lines: list[str]) -> Iterator[tuple]:
        names = dict(self.types)
        for number, line in enumerate(lines, 1):
            fields = line.split()
            if not fields:
                continue
            if len(fields) < _KITTI_COLUMNS:
                raise ValueError(f'line {number} has {len(fields)} columns '
                                 f'of {_KITTI_COLUMNS}')
            yield (names.get(fields[0]), *map(float, fields[4:8]))


def _categories(classes: tuple[str, ...]) -> list[dict]:
    return [dict(id=i, name=name) for i, name in enumerate(classes, 1)]


def _record(item: AnnotatedImage, boxes: Iterator[tuple],
            classes: tuple[str, ...], decode: bool) -> ImageRecord:
    width, height = image_size(item.image, decode)
    objects, left_out = [], 0
    for name, left, top, right, bottom in boxes:
        if name not in classes:
            left_out += 1
            continue
        left, top = max(left, 0.), max(top, 0.)
        right, bottom = min(right, width - 1.), min(bottom, height - 1.)
        if right <= left or bottom <= top:
            left_out += 1
            continue
        box = inclusive_box(left, top, right, bottom)
        objects.append(
            BoxObject(classes.index(name) + 1, box, box[2] * box[3]))
    return ImageRecord(item.file_name, width, height, tuple(objects),
                       left_out)

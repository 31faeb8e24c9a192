# Copyright (c) mic_mm authors. All rights reserved.
"""What is written about an image and its objects."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class BoxObject:
    """An object of an image.

    Attributes:
        category (int): Id of its category.
        bbox (tuple): Left, top, width and height in pixels.
        area (float): Number of its pixels, or of those of the box.
        crowd (bool): Whether it is a group. Defaults to False.
    """

    category: int
    bbox: tuple[float, float, float, float]
    area: float
    crowd: bool = False


@dataclass(frozen=True)
class ImageRecord:
    """An image and its objects.

    Attributes:
        file_name (str): Below the folder of images.
        width (int): In pixels.
        height (int): In pixels.
        objects (tuple): Its objects, in the order they are written.
        left_out (int): Objects of the annotation that the rules drop.
    """

    file_name: str
    width: int
    height: int
    objects: tuple[BoxObject, ...] = ()
    left_out: int = 0

    def to_json(self) -> dict:
        """A dict that :meth:`from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict) -> ImageRecord:
        """The record that :meth:`to_json` wrote."""
        objects = tuple(
            BoxObject(**{**o, 'bbox': tuple(o['bbox'])})
            for o in content['objects'])
        return cls(**{**content, 'objects': objects})


@dataclass(frozen=True)
class AnnotatedImage:
    """An image, its annotation, and its name in the result."""

    image: Path
    annotation: Path
    file_name: str


def image_size(path: Path, decode: bool = False) -> tuple[int, int]:
    """Width and height of an image.

    Args:
        path (Path): The image.
        decode (bool): Decode it, rather than read its header. Defaults to
            False.

    Raises:
        OSError: If it is missing or cannot be read.
    """
    with Image.open(path) as image:
        if decode:
            image.load()
        return image.size


def inclusive_box(left: float, top: float, right: float,
                  bottom: float) -> tuple[float, float, float, float]:
    """Left, top, width and height of a box whose corners belong to it."""
    return left, top, right - left + 1, bottom - top + 1

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

Size = tuple[int, int]


class Box(NamedTuple):
    """A rectangle in pixels, ``bottom`` and ``right`` exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def whole(cls, size: Size) -> Box:
        """The box of a whole image of ``size`` (height, width)."""
        return cls(0, size[0], 0, size[1])

    def crop(self, images: Tensor) -> Tensor:
        """The part of (..., H, W) inside the box, as a view."""
        return images[..., self.top:self.bottom, self.left:self.right]

    def scaled(self, image: Size, map_size: Size) -> Box:
        """The box in a map of the image, rounded down to its cells."""
        return Box(self.top * map_size[0] // image[0],
                   self.bottom * map_size[0] // image[0],
                   self.left * map_size[1] // image[1],
                   self.right * map_size[1] // image[1])

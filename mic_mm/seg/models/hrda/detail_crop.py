# Copyright (c) mic_mm authors. All rights reserved.
"""Where the detail crop of a training iteration lies."""
from __future__ import annotations

from typing import Any, Optional

import torch

from mic_mm.core.draws import RandomDraws

from .box import Box, Size


class DetailCrop:
    r"""Draws the high-resolution crop, one for all images of a batch.

    Its offset along an axis with :math:`m` pixels of margin is uniform over

    .. math::
        \{0, d, 2d, \ldots\}, \qquad
        n = \left\lfloor \frac{m + 1}{d} \right\rfloor

    values, :math:`d` = ``divisible``, so that the crop falls on the cells of
    the features (HRDA, sec. 3.2).  For 512 of 1024 pixels that is 0 to 504:
    the last possible offset, 512, is never drawn, as in the published code.

    Args:
        size (tuple[int, int]): Height and width in pixels of the image.
        divisible (int): :math:`d`. Defaults to 8, the cell of the
            low-resolution features in pixels of the image.
        full_range (bool): Draw the last offset, too, i.e.
            :math:`n = \lfloor m / d \rfloor + 1`. Defaults to False.

    Raises:
        ValueError: If ``size`` is no multiple of ``divisible``.
    """

    def __init__(self,
                 size: Size,
                 divisible: int = 8,
                 full_range: bool = False) -> None:
        if divisible < 1 or any(s < 1 or s % divisible for s in size):
            raise ValueError(
                f'HRDAEncoderDecoder: hr_crop_size={tuple(size)} is no '
                f'multiple of crop_coord_divisible={divisible}. Choose e.g. '
                'hr_crop_size=(512, 512) and crop_coord_divisible=8.')
        self.size = tuple(size)
        self.divisible = divisible
        self.full_range = full_range

    def draw(self, image: Size, draws: Optional[RandomDraws]) -> Box:
        """Draw a box.

        Args:
            image (tuple[int, int]): Height and width of the image.
            draws (RandomDraws, optional): Where the numbers
                ``detail_crop.y`` and ``detail_crop.x`` come from. None draws
                from PyTorch's global generator.

        Raises:
            ValueError: If the image is smaller than the crop.
        """
        if any(side < crop for side, crop in zip(image, self.size)):
            raise ValueError(
                f'HRDAEncoderDecoder: hr_crop_size={self.size} is larger '
                f'than the images of {tuple(image)} pixels. Use a larger '
                'crop_size in the training pipelines or a smaller '
                'hr_crop_size; HRDA crops 512² of 1024².')
        top, left = (
            self._offset(side - crop, axis, draws)
            for side, crop, axis in zip(image, self.size, 'yx'))
        return Box(top, top + self.size[0], left, left + self.size[1])

    def offsets(self, margin: int) -> range:
        """The possible offsets along an axis."""
        number = (
            margin // self.divisible + 1 if self.full_range else
            (margin + 1) // self.divisible)
        return range(0, max(number, 1) * self.divisible, self.divisible)

    def _offset(self, margin: int, axis: str,
                draws: Optional[RandomDraws]) -> int:
        offsets = self.offsets(margin)
        if len(offsets) == 1:
            return 0
        number = (
            torch.rand(()) if draws is None else draws.uniform(
                f'detail_crop.{axis}'))
        # float32 may round the product up to the length
        place: Any = number.tolist()
        index = min(int(place * len(offsets)), len(offsets) - 1)
        return offsets[index]

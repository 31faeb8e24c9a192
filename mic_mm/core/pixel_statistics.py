# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import torch
from torch import Tensor

from .device import to_device

_CHANNEL_ORDERS = ('rgb', 'bgr')
_WHITE = 255.


@dataclass(frozen=True)
class PixelStatistics:
    r"""How the pixels of a batch were normalised.

    A channel of the batch is :math:`x = (v - \mu) / \sigma` with the pixel
    value :math:`v \in [0, 255]`.  Colour operations are defined on RGB in
    [0, 1], so they need the way back and forth.

    Args:
        mean (Tensor | Sequence[float]): :math:`\mu` of each channel, in
            pixel values, in the order of the batch's channels.
        std (Tensor | Sequence[float]): :math:`\sigma` of each channel, as
            above.
        channel_order (str): Order of the channels of the batch, ``'rgb'`` or
            ``'bgr'``. Images are BGR after loading and RGB after a data
            preprocessor with ``bgr_to_rgb=True``. Defaults to ``'rgb'``.

    Raises:
        ValueError: If ``channel_order`` is unknown or ``mean`` and ``std``
            differ in length.
    """

    mean: Union[Tensor, Sequence[float]]
    std: Union[Tensor, Sequence[float]]
    channel_order: str = 'rgb'

    def __post_init__(self) -> None:
        if self.channel_order not in _CHANNEL_ORDERS:
            raise ValueError(
                f'PixelStatistics: channel_order={self.channel_order!r} is '
                f'unknown; choose one of {_CHANNEL_ORDERS}.')
        if len(self.mean) != len(self.std):
            raise ValueError(
                f'PixelStatistics: mean has {len(self.mean)} and std '
                f'{len(self.std)} values; give one of each per channel.')

    def to_unit_rgb(self, images: Tensor) -> Tensor:
        """Undo the normalisation.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            Tensor: A new float32 tensor, RGB in [0, 1], (B, 3, H, W).

        Raises:
            ValueError: If the images do not have three channels.
        """
        if images.dim() != 4 or images.size(1) != 3:
            raise ValueError(
                'Colour jitter needs images of three channels, (B, 3, H, W), '
                f'but got {tuple(images.shape)}. For grey images set '
                'jitter_probability=0 in color_aug, or color_aug=None.')
        mean, std = self._as_columns(images.device)
        pixels = (images.float() * std + mean) / _WHITE
        return pixels.flip(1) if self.channel_order == 'bgr' else pixels

    def from_unit_rgb(self, rgb: Tensor) -> Tensor:
        """Normalise RGB in [0, 1]: the inverse of :meth:`to_unit_rgb`."""
        pixels = rgb.flip(1) if self.channel_order == 'bgr' else rgb
        mean, std = self._as_columns(rgb.device)
        return (pixels * _WHITE - mean) / std

    def _as_columns(self, device: torch.device) -> tuple[Tensor, Tensor]:
        return (_as_column(self.mean, device), _as_column(self.std, device))


def _as_column(values: Any, device: torch.device) -> Tensor:
    column = torch.as_tensor(values, dtype=torch.float32).view(-1, 1, 1)
    return column if column.device == device else to_device(column, device)

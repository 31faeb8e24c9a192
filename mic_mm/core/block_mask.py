# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from numbers import Integral, Real

import torch
import torch.nn.functional as F
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .device import to_device
from .draws import RandomDraws


@TASK_UTILS.register_module()
class BlockMask:
    r"""Hides random blocks of normalised images.

    .. math::
        M = \mathbb{1}[u > r], \qquad x^M = M \odot x

    with one :math:`u \sim U[0, 1)` per block of ``block_size`` pixels and
    image (MIC, eq. 5 and 6).  The mask is shared by the channels.  A hidden
    pixel becomes 0, which in normalised space is the mean colour of the
    data; visible pixels are not rescaled.

    The grid has ``round(H / b) x round(W / b)`` cells, rounded half to even,
    stretched to the image by nearest-neighbour upsampling.  Where a side is
    no multiple of ``b``, the blocks are a little larger or smaller than
    ``b``: 224 px with ``b=64`` give 4 cells of 56 px.

    Random numbers (see :class:`RandomDraws`): ``mask.noise``, uniform in
    [0, 1), (B, 1, rows, columns).

    Args:
        ratio (float): Expected share :math:`r` of removed blocks, in [0, 1).
            0 leaves the images as they are. Defaults to 0.7, the value of
            all of MIC's segmentation and classification results.
        block_size (int): Side :math:`b` of a block in pixels of the image
            the student sees. Defaults to 64, MIC's value for crops of 1024
            and 224 pixels; it uses 32 for crops of 512 pixels and detection.

    Raises:
        ValueError: If ``ratio`` or ``block_size`` is out of range.
    """

    def __init__(self, ratio: float = 0.7, block_size: int = 64) -> None:
        if not isinstance(ratio, Real) or not 0 <= ratio < 1:
            raise ValueError(
                f'BlockMask: ratio={ratio!r} lies outside [0, 1). It is the '
                "share of blocks that are removed, 0.7 in MIC; set the mask's "
                'objective to None to train without masks.')
        if (not isinstance(block_size, Integral)
                or isinstance(block_size, bool) or block_size < 1):
            raise ValueError(f'BlockMask: block_size={block_size!r} is not a '
                             'positive integer. Give the side of a block in '
                             'pixels, e.g. 64.')
        self.ratio: float = float(ratio)
        self.block_size: int = int(block_size)

    def __call__(self, images: Tensor, draws: RandomDraws) -> Tensor:
        """Draw a mask for each image and hide its blocks.

        Args:
            images (Tensor): Normalised images, (B, C, H, W).
            draws (RandomDraws): Where the noise comes from.

        Returns:
            Tensor: Masked images; ``images`` is left unchanged.
        """
        height, width = images.shape[-2:]
        noise = self.draw(draws, len(images), (height, width))
        return self.apply(images, noise)

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of blocks of an image of ``size`` (H, W).

        Raises:
            ValueError: If a side is at most half a block.
        """
        rows, columns = (round(side / self.block_size) for side in size)
        if not rows or not columns:
            raise ValueError(
                f'BlockMask: block_size={self.block_size} is too large for '
                f'images of {size[0]}x{size[1]} pixels (height x width): not '
                'one block fits. Choose a block_size of at most '
                f'{min(size)}, or larger training crops.')
        return rows, columns

    def draw(self, draws: RandomDraws, batch_size: int,
             size: tuple[int, int]) -> Tensor:
        """Draw the noise of a batch, (B, 1, rows, columns)."""
        return draws.uniform_per_sample('mask.noise', batch_size, 1,
                                        *self.grid(size))

    @torch.no_grad()
    def apply(self, images: Tensor, noise: Tensor) -> Tensor:
        """Hide the blocks of ``images`` whose noise is at most ``ratio``."""
        if self.ratio == 0:
            return images
        noise = to_device(noise, images.device)
        height, width = images.shape[-2:]
        return images * self.keep_mask(noise, (height, width)).to(images)

    def keep_mask(self, noise: Tensor, size: tuple[int, int]) -> Tensor:
        """1 for visible and 0 for hidden pixels, see :func:`keep_mask`."""
        return keep_mask(noise, self.ratio, size)


def keep_mask(noise: Tensor, ratio: float, size: tuple[int, int]) -> Tensor:
    """Turn the noise of each block into a mask of pixels.

    Args:
        noise (Tensor): Uniform numbers in [0, 1), (B, 1, rows, columns).
        ratio (float): Blocks with noise above it stay visible.
        size (tuple[int, int]): Height and width of the mask.

    Returns:
        Tensor: 1 for visible and 0 for hidden pixels, (B, 1, H, W), with the
        data type of ``noise``.
    """
    keep = (noise > ratio).to(noise.dtype)
    return F.interpolate(keep, size=tuple(size), mode='nearest')

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from torch import Tensor

from mic_mm.core.block_mask import BlockMask
from mic_mm.registry import TRANSFORMS

from .numpy_draws import NumpyDraws

# BGR, as images are in a pipeline.
_IMAGENET_MEAN = (103.53, 116.28, 123.675)


@TRANSFORMS.register_module()
class BlockMasking(BaseTransform):
    """Hides random blocks of an image, in the pipeline of any dataset.

    It is :class:`mic_mm.BlockMask` before normalisation: hidden pixels get a
    colour instead of 0.  With the mean of the data preprocessor as colour
    they are 0 after normalisation (in 8-bit images up to rounding, 0.01).

    Place it after the transforms that change the geometry.  MIC itself masks
    batches inside of the model; this is for masking in other methods.

    Required Keys:

    - img

    Modified Keys:

    - img

    Args:
        ratio (float): Expected share of removed blocks, in [0, 1). Defaults
            to 0.7.
        block_size (int): Side of a block in pixels. Defaults to 64.
        fill (float | Sequence[float]): Colour of hidden pixels, one number
            or one per channel, in the channel order of the image. Defaults
            to (103.53, 116.28, 123.675), the mean colour of ImageNet in BGR,
            which most data preprocessors subtract.
    """

    def __init__(self,
                 ratio: float = 0.7,
                 block_size: int = 64,
                 fill: Union[float, Sequence[float]] = _IMAGENET_MEAN) -> None:
        self.mask = BlockMask(ratio, block_size)
        self.fill = fill

    def transform(self, results: dict) -> dict:
        """Mask ``results['img']``, an array (H, W, C) or (H, W).

        Raises:
            ValueError: If ``fill`` does not fit the channels of the image.
        """
        img = results['img']
        size = img.shape[:2]
        noise = self._draw_noise(size)
        if self.mask.ratio > 0:
            keep = self.mask.keep_mask(noise, size)[0, 0].bool().numpy()
            results['img'] = np.where(
                keep.reshape(*size, *[1] * (img.ndim - 2)), img,
                self._fill_for(img))
        return results

    @cache_randomness
    def _draw_noise(self, size: tuple[int, int]) -> Tensor:
        return self.mask.draw(NumpyDraws(), 1, size)

    def _fill_for(self, img: np.ndarray) -> np.ndarray:
        fill = np.asarray(self.fill, dtype=np.float64)
        channels = img.shape[2] if img.ndim == 3 else 1
        if fill.ndim and len(fill) != channels:
            raise ValueError(f'BlockMasking: fill={self.fill} has {len(fill)} '
                             f'values, but the image has {channels} channels. '
                             'Give one number, or one per channel.')
        if np.issubdtype(img.dtype, np.integer):
            fill = np.rint(fill)
        return fill.astype(img.dtype)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(ratio={self.mask.ratio}, '
                f'block_size={self.mask.block_size}, fill={self.fill})')

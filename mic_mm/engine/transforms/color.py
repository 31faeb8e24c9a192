# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mic_mm.core.color_augmentation import ColorAugmentation, ColorAugmentationParams
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.registry import TRANSFORMS

from .image_array import from_batch, to_batch
from .numpy_draws import NumpyDraws


class _ColorTransform(BaseTransform):
    """Applies a :class:`ColorAugmentation` to pixel values in [0, 255]."""

    def __init__(self, augmentation: ColorAugmentation,
                 channel_order: str) -> None:
        self.augmentation = augmentation
        self.statistics = PixelStatistics(
            mean=(0, ) * 3, std=(1, ) * 3, channel_order=channel_order)

    def transform(self, results: dict) -> dict:
        """Augment ``results['img']``, an array (H, W, C)."""
        img = results['img']
        params = self._draw()
        if params.jitter is not None or params.sigma is not None:
            augmented = self.augmentation.apply(
                to_batch(img), self.statistics, params)
            results['img'] = from_batch(augmented, like=img)
        return results

    @cache_randomness
    def _draw(self) -> ColorAugmentationParams:
        return self.augmentation.draw(NumpyDraws(), batch_size=1)


@TRANSFORMS.register_module()
class UDAColorJitter(_ColorTransform):
    """:class:`mic_mm.ColorJitter` in the pipeline of any dataset.

    Required Keys:

    - img (H, W, 3), pixel values in [0, 255], 8 bit or floating point

    Modified Keys:

    - img

    Args:
        prob (float): Probability of jittering an image. Defaults to 0.8.
        strength (float): See :class:`mic_mm.ColorJitter`. Defaults to 0.2.
        channel_order (str): ``'bgr'``, as images are loaded, or ``'rgb'``.
            Defaults to ``'bgr'``.
    """

    def __init__(self,
                 prob: float = 0.8,
                 strength: float = 0.2,
                 channel_order: str = 'bgr') -> None:
        super().__init__(
            ColorAugmentation(
                jitter_probability=prob,
                blur_probability=0,
                jitter=dict(strength=strength)), channel_order)
        self.prob = prob

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'strength={self.augmentation.jitter.strength}, '
                f'channel_order={self.statistics.channel_order!r})')


@TRANSFORMS.register_module()
class UDAGaussianBlur(_ColorTransform):
    """:class:`mic_mm.GaussianBlur` in the pipeline of any dataset.

    Required Keys:

    - img (H, W, C) or (H, W), 8 bit or floating point

    Modified Keys:

    - img

    Args:
        prob (float): Probability of blurring an image. Defaults to 0.5.
        sigma (tuple[float, float]): See :class:`mic_mm.GaussianBlur`.
            Defaults to (0.15, 1.15).
    """

    def __init__(self,
                 prob: float = 0.5,
                 sigma: tuple[float, float] = (0.15, 1.15)) -> None:
        super().__init__(
            ColorAugmentation(
                jitter_probability=0,
                blur_probability=prob,
                blur=dict(sigma=sigma)), 'bgr')
        self.prob = prob

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'sigma={self.augmentation.blur.sigma})')

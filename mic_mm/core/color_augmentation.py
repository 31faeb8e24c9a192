# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, Optional

from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .color_jitter import ColorJitterParams
from .draws import RandomDraws
from .pixel_statistics import PixelStatistics
from .share import check_share


@dataclass(frozen=True)
class ColorAugmentationParams:
    """What a call of :class:`ColorAugmentation` has drawn.

    Attributes:
        jitter (ColorJitterParams, optional): None: no jitter.
        sigma (Tensor, optional): Standard deviations of the blur, () or
            (B, ). None: no blur.
    """

    jitter: Optional[ColorJitterParams] = None
    sigma: Optional[Tensor] = None


@TASK_UTILS.register_module()
class ColorAugmentation:
    r"""Randomly jitters the colours of a batch, then randomly blurs it.

    Whether to jitter and whether to blur is decided once for the batch, on
    all processes alike, each with :math:`u > 1 - p` for a probability
    :math:`p` (DACS, DAFormer and MIC, sec. 4.1).

    Random numbers (see :class:`RandomDraws`): ``color.jitter_decision`` and
    ``color.blur_decision``, scalars in [0, 1), unless the probability is 0
    or 1; and those of :class:`ColorJitter` and :class:`GaussianBlur`.

    Args:
        jitter_probability (float): Defaults to 0.8. The original writes
            ``p=0.2`` and jitters if ``u > p``.
        blur_probability (float): Defaults to 0.5, as in the original.
        jitter (dict, optional): Arguments of the jitter, e.g.
            ``dict(strength=0.2)``; its type defaults to
            ``'mic_mm.ColorJitter'``. Defaults to None, its defaults.
        blur (dict, optional): Arguments of the blur, e.g.
            ``dict(sigma=(0.15, 1.15))``; its type defaults to
            ``'mic_mm.GaussianBlur'``. Defaults to None, its defaults.
        share (str): What the images of a batch share. ``'batch'``: the
            order of the colour operations and the width of the blur, with
            factors for each image, MIC's rule for masked images;
            ``'sample'``: nothing but the two decisions, the rule of DACS for
            mixed images. Defaults to ``'batch'``.

    Raises:
        ValueError: If a probability lies outside [0, 1] or ``share`` is
            unknown.
    """

    def __init__(self,
                 jitter_probability: float = 0.8,
                 blur_probability: float = 0.5,
                 jitter: Optional[dict] = None,
                 blur: Optional[dict] = None,
                 share: str = 'batch') -> None:
        for name, probability in (('jitter_probability', jitter_probability),
                                  ('blur_probability', blur_probability)):
            if not isinstance(probability, Real) or not 0 <= probability <= 1:
                raise ValueError(f'ColorAugmentation: {name}={probability!r} '
                                 'lies outside [0, 1].')
        check_share(type(self).__name__, share)
        self.jitter_probability = jitter_probability
        self.blur_probability = blur_probability
        self.jitter = TASK_UTILS.build(
            dict(dict(type='mic_mm.ColorJitter'), **(jitter or {})))
        self.blur = TASK_UTILS.build(
            dict(dict(type='mic_mm.GaussianBlur'), **(blur or {})))
        self.share = share

    def __call__(self, images: Tensor, statistics: PixelStatistics,
                 draws: RandomDraws) -> Tensor:
        """Augment a batch.

        Args:
            images (Tensor): Normalised images, (B, C, H, W); C = 3 where
                jitter is applied.
            statistics (PixelStatistics): How they were normalised.
            draws (RandomDraws): Where the random numbers come from.

        Returns:
            Tensor: Augmented images; ``images`` is left unchanged.
        """
        return self.apply(images, statistics, self.draw(draws, len(images)))

    def draw(self, draws: RandomDraws,
             batch_size: int) -> ColorAugmentationParams:
        """Draw the decisions and the parameters of what was decided."""
        jitter = sigma = None
        if _decide(draws, 'color.jitter_decision', self.jitter_probability):
            jitter = self.jitter.draw(draws, batch_size, self.share)
        if _decide(draws, 'color.blur_decision', self.blur_probability):
            sigma = self.blur.draw(draws, batch_size, self.share)
        return ColorAugmentationParams(jitter, sigma)

    def apply(self, images: Tensor, statistics: PixelStatistics,
              params: ColorAugmentationParams) -> Tensor:
        """Augment a batch with given parameters."""
        if params.jitter is not None:
            images = self.jitter.apply(images, statistics, params.jitter)
        if params.sigma is not None:
            images = self.blur.apply(images, params.sigma)
        return images


def _decide(draws: RandomDraws, name: str, probability: float) -> bool:
    if probability in (0, 1):  # u may be 0: 1 has to mean always
        return bool(probability)
    decision: Any = (draws.uniform(name) > 1 - probability).tolist()
    return decision

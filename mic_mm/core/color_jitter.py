# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .device import to_device
from .draws import RandomDraws
from .pixel_statistics import PixelStatistics
from .share import check_share

# Keeps the saturation of black pixels finite; part of the definition.
_EPS = 1e-6
# Only keeps 0 / 0 of grey pixels finite, where the numerator is 0.
_TINY = 1e-12


@dataclass(frozen=True)
class ColorJitterParams:
    """What a call of :class:`ColorJitter` has drawn.

    Attributes:
        factors (Tensor): Brightness, contrast and saturation factor and hue
            shift in turns, (B, 4).
        order (Tensor): The order of the operations, 0 brightness,
            1 contrast, 2 saturation, 3 hue: (4, ), or (B, 4) with one order
            for each image; int64 on the CPU.
    """

    factors: Tensor
    order: Tensor


@TASK_UTILS.register_module()
class ColorJitter:
    r"""Random brightness, contrast, saturation and hue, in random order.

    On RGB in [0, 1]:

    - brightness: :math:`x \leftarrow clamp(x + b - 1)`, *additive*
    - contrast: :math:`x \leftarrow clamp(c\,x)`, *without* the mean
    - saturation: :math:`S \leftarrow clamp(s\,S)` in HSV
    - hue: :math:`H \leftarrow H + 2 \pi h \pmod{2 \pi}` in HSV

    with :math:`b, c, s \sim U(1-a, 1+a)`, :math:`h \sim U(-a, a)` for each
    image and :math:`S = (\max - \min) / (\max + 10^{-6})`.  These are the
    definitions that DACS, DAFormer and MIC trained with; ``ColorJitter`` of
    torchvision multiplies for brightness, and blends with the mean for
    contrast and with grey for saturation.

    Random numbers (see :class:`RandomDraws`): ``color.brightness``,
    ``color.contrast``, ``color.saturation`` in [1-a, 1+a) and ``color.hue``
    in [-a, a), each (B, ); ``color.order``, a permutation of 4, or with
    ``share='sample'`` ``color.order_keys`` in [0, 1), (B, 4), where the
    operation with the smallest key comes first.

    Args:
        strength (float): :math:`a`, in [0, 0.5]. Defaults to 0.2, as in
            DACS, DAFormer and MIC.

    Raises:
        ValueError: If ``strength`` lies outside [0, 0.5].
    """

    def __init__(self, strength: float = 0.2) -> None:
        if not isinstance(strength, Real) or not 0 <= strength <= 0.5:
            raise ValueError(f'ColorJitter: strength={strength!r} lies '
                             'outside [0, 0.5], beyond which a hue shift '
                             'repeats itself. MIC uses 0.2.')
        self.strength: float = float(strength)

    def __call__(self,
                 images: Tensor,
                 statistics: PixelStatistics,
                 draws: RandomDraws,
                 share: str = 'batch') -> Tensor:
        """Jitter normalised images, (B, 3, H, W); see :meth:`draw`."""
        params = self.draw(draws, len(images), share)
        return self.apply(images, statistics, params)

    def draw(self,
             draws: RandomDraws,
             batch_size: int,
             share: str = 'batch') -> ColorJitterParams:
        """Draw factors for each image and the order of the operations.

        Args:
            draws (RandomDraws): Where the numbers come from.
            batch_size (int): Number of images.
            share (str): ``'batch'``: one order for all images (MIC);
                ``'sample'``: one for each image (ClassMix). Defaults to
                ``'batch'``.
        """
        check_share(type(self).__name__, share)
        a = self.strength
        ranges = dict(
            brightness=(1 - a, 1 + a),
            contrast=(1 - a, 1 + a),
            saturation=(1 - a, 1 + a),
            hue=(-a, a))
        factors = [
            draws.uniform_per_sample(
                f'color.{name}', batch_size, low=low, high=high)
            for name, (low, high) in ranges.items()
        ]
        if share == 'batch':
            order = draws.permutation('color.order', len(ranges))
        else:
            order = draws.uniform_per_sample('color.order_keys', batch_size,
                                             len(ranges)).argsort(dim=1)
        return ColorJitterParams(torch.stack(factors, dim=1), order)

    @torch.no_grad()
    def apply(self, images: Tensor, statistics: PixelStatistics,
              params: ColorJitterParams) -> Tensor:
        """Jitter normalised images with given parameters.

        Raises:
            ValueError: If the images do not have three channels.
        """
        rgb = statistics.to_unit_rgb(images)
        factors = to_device(params.factors, images.device)
        if params.order.dim() == 1:
            rgb = jitter(rgb, factors, params.order.tolist())
        else:
            rgb = torch.cat([
                jitter(rgb[i:i + 1], factors[i:i + 1], order)
                for i, order in enumerate(params.order.tolist())
            ])
        return statistics.from_unit_rgb(rgb).to(images.dtype)


def jitter(rgb: Tensor, factors: Tensor, order: Sequence[int]) -> Tensor:
    """Apply the four operations to RGB in [0, 1], (B, 3, H, W).

    Args:
        rgb (Tensor): RGB in [0, 1], (B, 3, H, W).
        factors (Tensor): See :class:`ColorJitterParams`.
        order (Sequence[int]): Indices of the operations.
    """
    for operation in order:
        factor = factors[:, operation].view(-1, 1, 1, 1)
        rgb = _OPERATIONS[operation](rgb, factor)
    return rgb


def _brightness(rgb: Tensor, factor: Tensor) -> Tensor:
    return (rgb + (factor - 1)).clamp_(0, 1)


def _contrast(rgb: Tensor, factor: Tensor) -> Tensor:
    return (rgb * factor).clamp_(0, 1)


def _saturation(rgb: Tensor, factor: Tensor) -> Tensor:
    # With V and H fixed, the distance V - x of every channel is proportional
    # to S, so the way through HSV and back is not needed.
    value, chroma = _value_and_chroma(rgb)
    saturation = (factor * chroma / (value + _EPS)).clamp_(0, 1)
    return value - (value - rgb) * (value * saturation /
                                    chroma.clamp_min(_TINY))


def _hue(rgb: Tensor, turns: Tensor) -> Tensor:
    value, chroma = _value_and_chroma(rgb)
    sextant = _hue_sextant(rgb, value, chroma) + 6 * turns
    depth = value * chroma / (value + _EPS)
    channels = []
    # Red, green and blue are the same tent function of the hue, a third of
    # the circle apart.
    for offset in (5, 3, 1):
        k = (sextant + offset) % 6
        channels.append(value - depth * torch.minimum(k, 4 - k).clamp_(0, 1))
    return torch.cat(channels, dim=1)


def _value_and_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    value = rgb.amax(dim=1, keepdim=True)
    return value, value - rgb.amin(dim=1, keepdim=True)


def _hue_sextant(rgb: Tensor, value: Tensor, chroma: Tensor) -> Tensor:
    """Hue in sixths of the circle; 0 red, 2 green, 4 blue."""
    red, green, blue = rgb.split(1, dim=1)
    chroma = chroma.clamp_min(_TINY)
    return torch.where(
        value == red, (green - blue) / chroma,
        torch.where(value == green, (blue - red) / chroma + 2,
                    (red - green) / chroma + 4))


_OPERATIONS = (_brightness, _contrast, _saturation, _hue)

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .device import to_device
from .draws import RandomDraws
from .share import check_share

# A Gaussian has 3e-12 of its mass beyond 7 standard deviations, far below
# the resolution of float32.
_CUT_OFF = 7


@TASK_UTILS.register_module()
class GaussianBlur:
    r"""Blurs images with a Gaussian of random width.

    The kernel is that of DACS, DAFormer and MIC: :math:`k(n)` taps along a
    side of ``n`` pixels, see :func:`blur_kernel_size`, normalised, with
    reflected borders, in normalised space.  Along sides of up to 20 pixels
    :math:`k = 1`, so that nothing is blurred.  It is applied one axis after
    the other and cut off where it vanishes, which equals the dense kernel
    (103 x 103 taps for images of 1024 pixels) to float32 resolution.

    Random numbers (see :class:`RandomDraws`): ``color.sigma`` in
    [sigma[0], sigma[1]), a scalar, or (B, ) with ``share='sample'``.

    Args:
        sigma (tuple[float, float]): Range of the standard deviation in
            pixels. Defaults to (0.15, 1.15), as in DACS, DAFormer and MIC.

    Raises:
        ValueError: If ``sigma`` is not a range of positive numbers.
    """

    def __init__(self, sigma: tuple[float, float] = (0.15, 1.15)) -> None:
        if (not isinstance(sigma, (tuple, list)) or len(sigma) != 2
                or not 0 < sigma[0] <= sigma[1]):
            raise ValueError(f'GaussianBlur: sigma={sigma!r} is not a range '
                             'of standard deviations; give (low, high) with '
                             '0 < low <= high, e.g. (0.15, 1.15).')
        self.sigma = (float(sigma[0]), float(sigma[1]))

    def __call__(self,
                 images: Tensor,
                 draws: RandomDraws,
                 share: str = 'batch') -> Tensor:
        """Blur images, (B, C, H, W); see :meth:`draw`."""
        return self.apply(images, self.draw(draws, len(images), share))

    def draw(self,
             draws: RandomDraws,
             batch_size: int,
             share: str = 'batch') -> Tensor:
        """Draw the standard deviation.

        Args:
            draws (RandomDraws): Where the numbers come from.
            batch_size (int): Number of images.
            share (str): ``'batch'``: one for all images (MIC);
                ``'sample'``: one for each image (ClassMix). Defaults to
                ``'batch'``.

        Returns:
            Tensor: Standard deviations in pixels, () or (B, ).
        """
        check_share(type(self).__name__, share)
        low, high = self.sigma
        if share == 'batch':
            return draws.uniform('color.sigma', low=low, high=high)
        return draws.uniform_per_sample(
            'color.sigma', batch_size, low=low, high=high)

    @torch.no_grad()
    def apply(self, images: Tensor, sigma: Tensor) -> Tensor:
        """Blur images with given standard deviations.

        Args:
            images (Tensor): (B, C, H, W).
            sigma (Tensor): Standard deviations on the CPU, () or (B, ).
        """
        # A convolution would otherwise run in half precision under autocast.
        with torch.autocast(images.device.type, enabled=False):
            blurred = images.float()
            for axis in (-1, -2):
                blurred = _blur_axis(blurred, sigma, axis)
        return blurred.to(images.dtype)


def blur_kernel_size(side: int) -> int:
    r"""Number of taps along an image side of ``side`` pixels, odd.

    .. math::
        k(n) = \lfloor \lceil 0.1 n \rceil - 0.5 + \lceil 0.1 n \rceil
        \bmod 2 \rfloor
    """
    tenth = math.ceil(0.1 * side)
    return math.floor(tenth - 0.5 + tenth % 2)


def gaussian_kernel(sigma: Tensor, size: int) -> Tensor:
    """Sampled and normalised Gaussians.

    Args:
        sigma (Tensor): Standard deviations in pixels, (N, ).
        size (int): Number of taps, odd.

    Returns:
        Tensor: float64, (N, size), each row with sum 1.
    """
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    kernel = torch.exp(-0.5 * (offsets / sigma.double()[:, None])**2)
    return kernel / kernel.sum(dim=1, keepdim=True)


def _blur_axis(images: Tensor, sigma: Tensor, axis: int) -> Tensor:
    reach = math.ceil(_CUT_OFF * max(sigma.flatten().tolist()))
    size = min(blur_kernel_size(images.size(axis)), 2 * reach + 1)
    if size == 1:
        return images
    batch_size, channels, height, width = images.shape
    kernel = gaussian_kernel(sigma.expand(batch_size), size).float()
    kernel = to_device(kernel.repeat_interleave(channels, dim=0),
                       images.device)
    along_width = axis == -1
    border = (size // 2, size // 2)
    padded = F.pad(
        images.reshape(1, batch_size * channels, height, width),
        (*border, 0, 0) if along_width else (0, 0, *border),
        mode='reflect')
    kernel = kernel[:, None, None, :] if along_width else kernel[:, None, :,
                                                                 None]
    blurred = F.conv2d(padded, kernel, groups=batch_size * channels)
    return blurred.view_as(images)

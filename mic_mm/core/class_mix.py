# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import NamedTuple

import mmengine.dist as dist
import torch
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .device import to_device
from .draws import RandomDraws

_SCOPES = ('batch', 'image')
# Label maps are 8 bit, and the ignore value 255 counts as a class.
_NUM_LABELS = 256


class MixedImages(NamedTuple):
    """Target images with classes of source images pasted onto them.

    Attributes:
        images (Tensor): (B, C, H, W).
        labels (Tensor): int64, (B, H, W).
        weights (Tensor): Pixel weights of the loss, (B, H, W).
        mask (Tensor): Which pixels come from the source, bool, (B, H, W).
    """

    images: Tensor
    labels: Tensor
    weights: Tensor
    mask: Tensor


@TASK_UTILS.register_module()
class ClassMix:
    r"""Pastes half of the source classes onto target images.

    .. math::
        M = \mathbb{1}[y_S \in K], \quad
        x = M x_S + (1 - M) x_T, \quad
        y = M y_S + (1 - M) \hat y_T, \quad
        w = M + (1 - M)\, w_T

    with a random set :math:`K` of :math:`\lceil n / 2 \rceil` of the
    :math:`n` classes, drawn for each image (ClassMix, Olsson et al. 2021, as
    used by DACS, Tranheden et al. 2021, and DAFormer, Hoyer et al. 2022).
    The ignore value 255 is one of the classes.

    The classes are counted and chosen on the images' device, so the host
    never waits for it.

    Random numbers (see :class:`RandomDraws`): ``classmix.keys``, uniform in
    [0, 1), (B, 256).  The classes with the smallest keys are pasted.

    Args:
        classmix_scope (str): Where the classes are taken from. ``'batch'``:
            all source images of the batch, on all processes, so that an
            image may get fewer classes than half of its own, or none;
            ``'image'``: the image's own. Defaults to ``'batch'``, the
            published behaviour of DACS, DAFormer and MIC.

    Raises:
        ValueError: If ``classmix_scope`` is unknown.
    """

    def __init__(self, classmix_scope: str = 'batch') -> None:
        if classmix_scope not in _SCOPES:
            raise ValueError(f'ClassMix: classmix_scope={classmix_scope!r} is '
                             f'unknown; choose one of {_SCOPES}.')
        self.classmix_scope = classmix_scope

    def __call__(self, source_images: Tensor, source_labels: Tensor,
                 target_images: Tensor, target_labels: Tensor,
                 target_weights: Tensor, draws: RandomDraws) -> MixedImages:
        """Mix source and target images pair by pair.

        Args:
            source_images (Tensor): (B, C, H, W).
            source_labels (Tensor): int64 in 0..255, (B, H, W).
            target_images (Tensor): (B, C, H, W).
            target_labels (Tensor): int64, (B, H, W).
            target_weights (Tensor): Pixel weights, (B, H, W).
            draws (RandomDraws): Where the keys come from.

        Raises:
            ValueError: If the shapes do not match.
        """
        _check_shapes(source_images, source_labels, target_images,
                      target_labels, target_weights)
        keys = self.draw(draws, len(source_images))
        return self.apply(source_images, source_labels, target_images,
                          target_labels, target_weights, keys)

    def draw(self, draws: RandomDraws, batch_size: int) -> Tensor:
        """Draw a key for every image and class, (B, 256)."""
        return draws.uniform_per_sample('classmix.keys', batch_size,
                                        _NUM_LABELS)

    @torch.no_grad()
    def apply(self, source_images: Tensor, source_labels: Tensor,
              target_images: Tensor, target_labels: Tensor,
              target_weights: Tensor, keys: Tensor) -> MixedImages:
        """Mix with given keys; see :meth:`__call__`."""
        keys = to_device(keys, source_labels.device)
        chosen = choose_half(self.present_classes(source_labels), keys)
        mask = chosen.gather(1, source_labels.flatten(1))
        mask = mask.view_as(source_labels)
        return MixedImages(
            images=torch.where(mask.unsqueeze(1), source_images,
                               target_images),
            labels=torch.where(mask, source_labels, target_labels),
            weights=target_weights.masked_fill(mask, 1.),
            mask=mask)

    def present_classes(self, labels: Tensor) -> Tensor:
        """Which classes each image may give.

        Args:
            labels (Tensor): int64 in 0..255, (B, H, W).

        Returns:
            Tensor: bool, (B, 256); equal rows with ``'batch'``.
        """
        if self.classmix_scope == 'image':
            present = labels.new_zeros(len(labels), _NUM_LABELS)
            return present.scatter_(1, labels.flatten(1), 1).bool()
        present = labels.new_zeros(_NUM_LABELS)
        present.scatter_(0, labels.flatten(), 1)
        # N processes draw from the same classes as one with the whole batch.
        dist.all_reduce(present, op='max')
        return present.bool().expand(len(labels), -1)


def choose_half(present: Tensor, keys: Tensor) -> Tensor:
    r"""Choose :math:`\lceil n / 2 \rceil` of the ``n`` present classes.

    Args:
        present (Tensor): Which classes may be chosen, bool, (B, L).
        keys (Tensor): Random numbers in [0, 1), (B, L); the present classes
            with the smallest keys are chosen.

    Returns:
        Tensor: Which classes are chosen, bool, (B, L).
    """
    absent_last = keys.masked_fill(~present, 2.)
    rank = absent_last.argsort(dim=1, stable=True).argsort(dim=1)
    num_chosen = (present.sum(dim=1, keepdim=True) + 1) // 2
    return rank < num_chosen


def _check_shapes(source_images: Tensor, source_labels: Tensor, target_images: Tensor,
                  target_labels: Tensor, target_weights: Tensor) -> None:
    shape = (len(source_images), *source_images.shape[-2:])
    if (source_images.shape != target_images.shape
            or any(maps.shape != shape
                   for maps in (source_labels, target_labels,
                                target_weights))):
        raise ValueError(
            'ClassMix pairs source and target images pixel by pixel, but got '
            f'source images {tuple(source_images.shape)} with labels '
            f'{tuple(source_labels.shape)} and target images '
            f'{tuple(target_images.shape)} with labels '
            f'{tuple(target_labels.shape)} and weights '
            f'{tuple(target_weights.shape)}. Use the same crop size in both '
            'pipelines.')

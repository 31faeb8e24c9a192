# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from contextlib import ExitStack
from typing import Optional

import torch
from torch import Tensor, nn

from mic_mm.core import SourceSupervision
from mic_mm.registry import MODELS

from ..pixel_weights import check_weightable, sampling
from .observe import BackboneCall, LogitKeeper, observed_backbone

SOURCE_LOGITS = 'source_logits'


@MODELS.register_module()
class SegSourceSupervision(SourceSupervision):
    """The segmentor's own loss on source images, and what shares its pass.

    Args:
        feature_distance (dict, optional): Config of a distance between the
            student's features of the source images and those of a frozen
            network, e.g. ``dict(type='mic_mm.FeatureDistance')`` of
            DAFormer. Defaults to None.
        keep_logits (bool): Keep the source logits for
            :class:`OutputSpaceAlignment`, so that the discriminator needs no
            second pass. Defaults to False.
        **kwargs: See :class:`Objective`.

    Raises:
        TypeError: If the logits are to be kept of a head that does not show
            them, since its loss is not that of ``BaseDecodeHead``.
        ValueError: If they are to be kept of a head with a pixel sampler.
    """

    def __init__(self,
                 feature_distance: Optional[dict] = None,
                 keep_logits: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.feature_distance = (
            MODELS.build(feature_distance) if feature_distance else None)
        self.keep_logits = keep_logits

    def attach(self, student) -> None:
        if self.keep_logits:
            _check_shows_logits(student.decode_head)
        if self.feature_distance is not None:
            self.feature_distance.attach(student.backbone)

    def loss(self, batch, student, teacher):
        keeper = LogitKeeper()
        with ExitStack() as stack:
            calls = stack.enter_context(observed_backbone(student))
            if self.keep_logits:
                stack.enter_context(sampling(student.decode_head, keeper))
            losses = super().loss(batch, student, teacher)
        if self.keep_logits:
            batch.cache[SOURCE_LOGITS] = keeper.logits
        if self.feature_distance is not None:
            labels = torch.cat(
                [s.gt_sem_seg.data for s in batch.source.data_samples])
            losses['loss_feature_distance'] = sum(
                self.feature_distance(call, seen, student.backbone)
                for call, seen in _compared(student, calls, labels))
        return losses


def _check_shows_logits(head: nn.Module) -> None:
    try:
        check_weightable(head)
    except (TypeError, ValueError) as error:
        raise type(error)(
            'SegSourceSupervision(keep_logits=True) reads the logits in the '
            f'place of pixel weights. {error}') from error


def _compared(student: nn.Module, calls: list[BackboneCall],
              labels: Tensor) -> list[tuple[BackboneCall, Tensor]]:
    """The passes whose features are compared, with the labels they saw."""
    if hasattr(student, 'feature_passes'):  # HRDA has two scales
        return student.feature_passes(calls, labels)
    return [(calls[0], labels)]

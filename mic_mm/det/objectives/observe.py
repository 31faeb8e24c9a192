# Copyright (c) mic_mm authors. All rights reserved.
"""Looks at what a stock detector computes on the way to its losses."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

PLACES = ('neck', 'backbone')


def extract_levels(
        detector: nn.Module, images: Tensor,
        place: str) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Feature maps at a place, and those the heads of the detector get.

    Args:
        detector (nn.Module): A detector with ``extract_feat``.
        images (Tensor): (B, C, H, W).
        place (str): ``'neck'`` or ``'backbone'``.
    """
    calls = []
    handle = detector.backbone.register_forward_hook(
        lambda module, args, outputs: calls.append(outputs))
    try:
        features = detector.extract_feat(images)
    finally:
        handle.remove()
    levels = features if place == 'neck' else calls[0]
    return [levels] if isinstance(levels, Tensor) else levels, features


@dataclass
class RegionCalls:
    """Calls of the box head of a two-stage detector.

    Attributes:
        rois (list[Tensor]): Index of the image and box, (R, 5) each.
        features (list[Tensor]): What the classification layer sees, (R, D)
            each.
    """

    rois: list[Tensor] = field(default_factory=list)
    features: list[Tensor] = field(default_factory=list)


@contextmanager
def observed_regions(roi_head: nn.Module) -> Iterator[RegionCalls]:
    """List what ``roi_head`` classifies inside the context."""
    calls = RegionCalls()
    handles = [
        roi_head.bbox_roi_extractor.register_forward_pre_hook(
            lambda module, args: calls.rois.append(args[1])),
        roi_head.bbox_head.fc_cls.register_forward_pre_hook(
            lambda module, args: calls.features.append(args[0]))
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def probe_levels(detector: nn.Module, place: str,
                 side: int = 128) -> Sequence[Tensor]:
    """Levels of a blank square image, to know their number and channels.

    The modes of all modules are left as they are.
    """
    modes = [(module, module.training) for module in detector.modules()]
    device = next(detector.parameters()).device
    try:
        detector.eval()
        blank = torch.zeros(1, 3, side, side, device=device)
        return extract_levels(detector, blank, place)[0]
    finally:
        for module, training in modes:
            module.training = training

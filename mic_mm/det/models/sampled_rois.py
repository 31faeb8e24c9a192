# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class RoITargets:
    """R sampled RoIs and what they are to be, image by image.

    Within an image they are in the order of the proposals; the image's ground
    truth (or full-image box) comes last.

    Attributes:
        rois (Tensor): ``(R, 5)``: image, x1, y1, x2, y2.
        labels (Tensor): ``(R,)``; background is the number of classes.
        bbox_targets (Tensor): Encoded boxes, ``(R, 4)``; those of background
            are meaningless.
        is_source (Tensor): ``(R,)``, bool: whether the labels count.
        is_pseudo (Tensor): ``(R,)``, bool: whether a teacher gave them.
    """

    rois: Tensor
    labels: Tensor
    bbox_targets: Tensor
    is_source: Tensor
    is_pseudo: Tensor


@dataclass(frozen=True)
class SampledRoIs(RoITargets):
    """Sampled RoIs and what the RoI head says about them.

    Attributes:
        cls_score (Tensor): Logits, ``(R, classes + 1)``.
        bbox_pred (Tensor): Codes, ``(R, 4 classes)``.
        features (Tensor): Input of the classifier, i.e. the output of the
            last shared layer, ``(R, C)``, with its graph.
        levels (Tensor): Index of the feature level of each RoI, ``(R,)``.
    """

    cls_score: Tensor
    bbox_pred: Tensor
    features: Tensor
    levels: Tensor

# Copyright (c) mic_mm authors. All rights reserved.
"""Preprocessing of paired batches by the wrapped model's preprocessor."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import nn

from mic_mm.registry import MODELS

from .pixel_statistics import PixelStatistics

DOMAINS = ('source', 'target')
# Under which the libraries remember that they turn the loaded BGR to RGB:
# MMPretrain, MMEngine and MMDetection, MMSegmentation.
_CONVERSION_FLAGS = ('to_rgb', '_channel_conversion', 'channel_conversion')


@MODELS.register_module()
class UDADataPreprocessor(BaseDataPreprocessor):
    """Applies a model's own data preprocessor to each domain of a batch.

    Batches that are not paired (validation, test, or training with the
    library's own data set) go to the wrapped preprocessor as they are.

    Args:
        preprocessor (nn.Module): The data preprocessor of the wrapped model.
    """

    def __init__(self, preprocessor: nn.Module) -> None:
        super().__init__()
        self.preprocessor = preprocessor

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess ``{'source': batch, 'target': batch}`` or a batch."""
        if not is_paired(data):
            return self.preprocessor(data, training)
        return {
            domain: self.preprocessor(data[domain], training)
            for domain in DOMAINS if domain in data
        }

    @property
    def statistics(self) -> PixelStatistics:
        """How the wrapped preprocessor normalises pixels."""
        inner = self.preprocessor
        to_rgb = any(
            getattr(inner, flag, False) for flag in _CONVERSION_FLAGS)
        device = self.device
        mean: Any = getattr(inner, 'mean', None)
        std: Any = getattr(inner, 'std', None)
        if mean is None:
            mean, std = torch.zeros(3), torch.ones(3)
        return PixelStatistics(
            mean=mean.flatten().to(device),
            std=std.flatten().to(device),
            channel_order='rgb' if to_rgb else 'bgr')


def is_paired(data: Any) -> bool:
    """Whether a batch holds the two domains."""
    return isinstance(data, dict) and 'source' in data

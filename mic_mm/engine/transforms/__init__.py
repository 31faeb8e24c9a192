# Copyright (c) mic_mm authors. All rights reserved.
"""Masking and colour augmentation as ordinary pipeline transforms."""
from .block_masking import BlockMasking
from .color import UDAColorJitter, UDAGaussianBlur

__all__ = ['BlockMasking', 'UDAColorJitter', 'UDAGaussianBlur']

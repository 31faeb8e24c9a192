# Copyright (c) mic_mm authors. All rights reserved.
"""Geometry of maskrcnn-benchmark, in which SADA was published."""
from .anchor_generator import QuantizedAnchorGenerator
from .assigner import InclusiveOverlaps2D, OwnBestAssigner
from .box_coder import InclusiveBoxCoder
from .key_sampler import KeySampler
from .roi_extractor import InclusiveRoIExtractor

__all__ = [
    'InclusiveBoxCoder', 'InclusiveOverlaps2D', 'InclusiveRoIExtractor',
    'KeySampler', 'OwnBestAssigner', 'QuantizedAnchorGenerator'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Object detection on MMDetection."""
from .box_labeller import BoxLabeller
from .geometry import (InclusiveBoxCoder, InclusiveOverlaps2D,
                       InclusiveRoIExtractor, KeySampler, OwnBestAssigner,
                       QuantizedAnchorGenerator)
from .models import InclusiveBBoxHead, SADARoIHead, SADARPNHead
from .uda_detector import UDADetector

__all__ = [
    'BoxLabeller', 'InclusiveBBoxHead', 'InclusiveBoxCoder',
    'InclusiveOverlaps2D', 'InclusiveRoIExtractor', 'KeySampler',
    'OwnBestAssigner', 'QuantizedAnchorGenerator', 'SADARPNHead',
    'SADARoIHead', 'UDADetector'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Object detection on MMDetection."""
from .box_labeller import BoxLabeller
from .uda_detector import UDADetector

__all__ = ['BoxLabeller', 'UDADetector']

# Copyright (c) mic_mm authors. All rights reserved.
"""Object detection on MMDetection."""
from .box_labeller import BoxLabeller
from .datasets import DomainCocoDataset
from .evaluation import DomainCocoMetric, DomainVOCMetric, PseudoBoxMetric
from .geometry import (
    InclusiveBoxCoder,
    InclusiveOverlaps2D,
    InclusiveRoIExtractor,
    KeySampler,
    OwnBestAssigner,
    QuantizedAnchorGenerator,
)
from .models import InclusiveBBoxHead, SADARoIHead, SADARPNHead
from .objectives import (
    DomainAdversarialDetection,
    ImageDomainHead,
    InstanceDomainHead,
    PseudoBoxAdversarialDetection,
)
from .student_confidence import StudentConfidence
from .transforms import InclusiveBoxes
from .uda_detector import UDADetector

__all__ = [
    'BoxLabeller', 'DomainAdversarialDetection', 'DomainCocoDataset',
    'DomainCocoMetric', 'DomainVOCMetric', 'ImageDomainHead',
    'InclusiveBBoxHead', 'InclusiveBoxCoder', 'InclusiveBoxes',
    'InclusiveOverlaps2D', 'InclusiveRoIExtractor', 'InstanceDomainHead',
    'KeySampler', 'OwnBestAssigner', 'PseudoBoxAdversarialDetection',
    'PseudoBoxMetric', 'QuantizedAnchorGenerator', 'SADARPNHead',
    'SADARoIHead', 'StudentConfidence', 'UDADetector'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Image classification on MMPretrain."""
from .class_labeller import ClassLabeller
from .datasets import ClassificationDataset, Office31, OfficeHome, VisDA2017
from .evaluation import PerClassAccuracy
from .objectives import (
    ConditionalAdversarial,
    DomainAdversarial,
    JointSupervision,
    MinimumClassConfusion,
)
from .uda_classifier import UDAClassifier

__all__ = [
    'ClassLabeller', 'ClassificationDataset', 'ConditionalAdversarial',
    'DomainAdversarial', 'JointSupervision', 'MinimumClassConfusion',
    'Office31', 'OfficeHome', 'PerClassAccuracy', 'UDAClassifier', 'VisDA2017'
]

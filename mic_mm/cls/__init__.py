# Copyright (c) mic_mm authors. All rights reserved.
"""Image classification on MMPretrain."""
from .class_labeller import ClassLabeller
from .objectives import (ConditionalAdversarial, DomainAdversarial,
                         JointSupervision, MinimumClassConfusion)
from .uda_classifier import UDAClassifier

__all__ = [
    'ClassLabeller', 'ConditionalAdversarial', 'DomainAdversarial',
    'JointSupervision', 'MinimumClassConfusion', 'UDAClassifier'
]

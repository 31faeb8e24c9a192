# Copyright (c) mic_mm authors. All rights reserved.
"""Losses on what a classifier says about both domains."""
from .domain_adversarial import ConditionalAdversarial, DomainAdversarial
from .domain_term import DomainOutputs, DomainTerm
from .joint_supervision import JointSupervision
from .minimum_class_confusion import MinimumClassConfusion

__all__ = [
    'ConditionalAdversarial', 'DomainAdversarial', 'DomainOutputs',
    'DomainTerm', 'JointSupervision', 'MinimumClassConfusion'
]

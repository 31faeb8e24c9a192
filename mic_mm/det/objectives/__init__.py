# Copyright (c) mic_mm authors. All rights reserved.
"""Terms of the loss that only detection has."""
from .domain_adversarial_detection import DomainAdversarialDetection
from .domain_heads import DomainHeads
from .domain_inputs import RegionFeatures
from .image_domain_head import ImageDomainHead
from .instance_domain_head import InstanceDomainHead
from .pseudo_box_adversarial_detection import PseudoBoxAdversarialDetection

__all__ = [
    'DomainAdversarialDetection', 'DomainHeads', 'ImageDomainHead',
    'InstanceDomainHead', 'PseudoBoxAdversarialDetection', 'RegionFeatures'
]

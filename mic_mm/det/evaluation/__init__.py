# Copyright (c) mic_mm authors. All rights reserved.
"""Average precision of each class."""
from .domain_coco_metric import DomainCocoMetric
from .domain_voc_metric import DomainVOCMetric
from .pseudo_box_metric import PseudoBoxMetric

__all__ = ['DomainCocoMetric', 'DomainVOCMetric', 'PseudoBoxMetric']

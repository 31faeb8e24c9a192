# Copyright (c) mic_mm authors. All rights reserved.
"""Scores and exports of segmentations."""
from .domain_iou_metric import DomainIoUMetric

__all__ = ['DomainIoUMetric']

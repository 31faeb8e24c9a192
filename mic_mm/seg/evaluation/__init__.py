# Copyright (c) mic_mm authors. All rights reserved.
"""Scores and exports of segmentations."""
from .domain_iou_metric import DomainIoUMetric
from .prediction_export import PredictionExport

__all__ = ['DomainIoUMetric', 'PredictionExport']

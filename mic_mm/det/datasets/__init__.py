# Copyright (c) mic_mm authors. All rights reserved.
"""Data sets of detection."""
from .domain_coco_dataset import DomainCocoDataset

__all__ = ['DomainCocoDataset']

# Copyright (c) mic_mm authors. All rights reserved.
"""Datasets of street scenes, and how their images are drawn."""
from .adverse_conditions import ACDCDataset, DarkZurichDataset
from .class_statistics import ClassStatistics
from .gta import GTADataset
from .rare_class_sampling import RareClassSampling
from .synthia import SYNTHIADataset

__all__ = [
    'ACDCDataset', 'ClassStatistics', 'DarkZurichDataset', 'GTADataset',
    'RareClassSampling', 'SYNTHIADataset'
]

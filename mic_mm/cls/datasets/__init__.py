# Copyright (c) mic_mm authors. All rights reserved.
from .benchmarks import Office31, OfficeHome, VisDA2017
from .classification_dataset import ClassificationDataset

__all__ = ['ClassificationDataset', 'Office31', 'OfficeHome', 'VisDA2017']

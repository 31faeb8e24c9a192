# Copyright (c) mic_mm authors. All rights reserved.
"""What masked image consistency is, for every task."""
from .block_mask import BlockMask
from .class_mix import ClassMix
from .color_augmentation import ColorAugmentation
from .color_jitter import ColorJitter
from .data_preprocessor import UDADataPreprocessor
from .domain_batch import DomainBatch, LabelledImages, PseudoLabels
from .draws import RandomDraws, SeededDraws
from .ema_teacher import EMATeacher
from .gaussian_blur import GaussianBlur
from .gradient_reversal import GradientReversal
from .objectives import (
    MaskedConsistency,
    Objective,
    PseudoLabelObjective,
    SelfTraining,
    SourceSupervision,
)
from .pixel_statistics import PixelStatistics
from .pseudo_labeller import PseudoLabeller
from .sharpness_aware import SharpnessAware
from .uda_model import UDAModel

__all__ = [
    'BlockMask', 'ClassMix', 'ColorAugmentation', 'ColorJitter', 'DomainBatch',
    'EMATeacher', 'GaussianBlur', 'GradientReversal', 'LabelledImages',
    'MaskedConsistency', 'Objective', 'PixelStatistics',
    'PseudoLabelObjective', 'PseudoLabeller', 'PseudoLabels', 'RandomDraws',
    'SeededDraws', 'SelfTraining', 'SharpnessAware', 'SourceSupervision',
    'UDADataPreprocessor', 'UDAModel'
]

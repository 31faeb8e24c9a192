# Copyright (c) mic_mm authors. All rights reserved.
"""Semantic segmentation on MMSegmentation."""
from . import datasets, evaluation, models, objectives, transforms  # noqa: F401
from .class_mix_self_training import ClassMixSelfTraining
from .pixel_labeller import PixelLabeller
from .uda_segmentor import UDASegmentor

__all__ = ['ClassMixSelfTraining', 'PixelLabeller', 'UDASegmentor']

# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints and configs of the original MIC, HRDA and DAFormer."""
from .checkpoint_file import read_checkpoint, save_weights
from .original_branch import BRANCHES, select_branch
from .original_config import convert_model_config
from .original_weights import convert_weights
from .strict_loading import load_strictly

__all__ = [
    'BRANCHES', 'convert_model_config', 'convert_weights', 'load_strictly',
    'read_checkpoint', 'save_weights', 'select_branch'
]

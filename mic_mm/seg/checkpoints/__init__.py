# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints and configs of the original MIC, HRDA and DAFormer."""
from .original_branch import BRANCHES, present_branches, select_branch
from .original_config import convert_model_config
from .original_weights import convert_weights

__all__ = [
    'BRANCHES', 'convert_model_config', 'convert_weights', 'present_branches',
    'select_branch'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints of Vision Transformers that MIC starts from."""
from .timm_vit import build_backbone, convert_timm_vit, load_timm_vit, read_timm_vit

__all__ = [
    'build_backbone', 'convert_timm_vit', 'load_timm_vit', 'read_timm_vit'
]

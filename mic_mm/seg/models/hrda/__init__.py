# Copyright (c) mic_mm authors. All rights reserved.
"""HRDA: high-resolution detail in low-resolution context."""
from .box import Box
from .detail_crop import DetailCrop
from .hrda_encoder_decoder import HRDAEncoderDecoder
from .hrda_head import HRDAHead
from .hrda_output import HRDA_OUTPUTS
from .scale_fusion import ScaleFeatures, ScaleLogits, fuse_scales
from .windows import merge_windows, window_boxes

__all__ = [
    'Box', 'DetailCrop', 'HRDAEncoderDecoder', 'HRDAHead', 'HRDA_OUTPUTS',
    'ScaleFeatures', 'ScaleLogits', 'fuse_scales', 'merge_windows',
    'window_boxes'
]

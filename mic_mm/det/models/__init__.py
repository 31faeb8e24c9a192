# Copyright (c) mic_mm authors. All rights reserved.
"""Heads of SADA's Faster R-CNN on MMDetection's."""
from .inclusive_bbox_head import InclusiveBBoxHead
from .sada_roi_head import SADARoIHead
from .sada_rpn_head import SADARPNHead
from .sampled_rois import RoITargets, SampledRoIs

__all__ = [
    'InclusiveBBoxHead', 'RoITargets', 'SADARPNHead', 'SADARoIHead',
    'SampledRoIs'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Pipeline transforms of segmentation."""
from .check_labels import CheckLabels
from .pack_uda_seg_inputs import PackUDASegInputs
from .pseudo_label_margins import PseudoLabelMargins

__all__ = ['CheckLabels', 'PackUDASegInputs', 'PseudoLabelMargins']

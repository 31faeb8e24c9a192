# Copyright (c) mic_mm authors. All rights reserved.
"""Terms of the loss that only segmentation has."""
from .discriminator import PixelDiscriminator
from .entropy_minimization import EntropyMinimization
from .feature_distance import FeatureDistance
from .output_space_alignment import OutputSpaceAlignment
from .seg_source_supervision import SegSourceSupervision

__all__ = [
    'EntropyMinimization', 'FeatureDistance', 'OutputSpaceAlignment',
    'PixelDiscriminator', 'SegSourceSupervision'
]

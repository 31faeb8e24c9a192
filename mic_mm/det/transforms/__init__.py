# Copyright (c) mic_mm authors. All rights reserved.
"""Pipeline transforms for detection."""
from .inclusive_boxes import InclusiveBoxes

__all__ = ['InclusiveBoxes']

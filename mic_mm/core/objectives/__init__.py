# Copyright (c) mic_mm authors. All rights reserved.
from .masked_consistency import MaskedConsistency
from .objective import Objective, PseudoLabelObjective
from .self_training import SelfTraining
from .source_supervision import SourceSupervision

__all__ = [
    'MaskedConsistency', 'Objective', 'PseudoLabelObjective', 'SelfTraining',
    'SourceSupervision'
]

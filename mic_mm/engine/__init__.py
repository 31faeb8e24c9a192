# Copyright (c) mic_mm authors. All rights reserved.
"""How models are trained: data, hooks, optimizers, distribution."""
from .data import DomainPairDataset, DomainPairSampler
from .distributed import UDADistributedDataParallel
from .hooks import (AtomicCheckpointHook, EMATeacherHook, RandomStreamsHook,
                    UDAVisualizationHook)
from .loops import StudentTeacherTestLoop, StudentTeacherValLoop
from .optimizers import (InverseDecayLR, SAMAmpOptimWrapper, SAMOptimWrapper,
                         UDAOptimWrapperConstructor)
from . import transforms  # noqa: F401  registers the pipeline transforms

__all__ = [
    'AtomicCheckpointHook', 'DomainPairDataset', 'DomainPairSampler',
    'EMATeacherHook', 'InverseDecayLR', 'RandomStreamsHook', 'SAMAmpOptimWrapper',
    'SAMOptimWrapper', 'StudentTeacherTestLoop', 'StudentTeacherValLoop',
    'UDADistributedDataParallel',
    'UDAOptimWrapperConstructor', 'UDAVisualizationHook'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""How models are trained: data, hooks, optimizers, distribution."""
from . import transforms  # noqa: F401  registers the pipeline transforms
from .data import DomainPairDataset, DomainPairSampler
from .distributed import DistributedDataParallel, UDADistributedDataParallel
from .hooks import AtomicCheckpointHook, EMATeacherHook, RandomStreamsHook, UDAVisualizationHook
from .loops import StudentTeacherTestLoop, StudentTeacherValLoop
from .optimizers import (
    InverseDecayLR,
    SAMAmpOptimWrapper,
    SAMOptimWrapper,
    UDAOptimWrapperConstructor,
)

__all__ = [
    'AtomicCheckpointHook', 'DistributedDataParallel', 'DomainPairDataset',
    'DomainPairSampler', 'EMATeacherHook', 'InverseDecayLR',
    'RandomStreamsHook', 'SAMAmpOptimWrapper', 'SAMOptimWrapper',
    'StudentTeacherTestLoop', 'StudentTeacherValLoop',
    'UDADistributedDataParallel', 'UDAOptimWrapperConstructor',
    'UDAVisualizationHook'
]

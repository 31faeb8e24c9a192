# Copyright (c) mic_mm authors. All rights reserved.
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .ema_teacher_hook import EMATeacherHook
from .random_streams_hook import RandomStreamsHook
from .uda_visualization_hook import UDAVisualizationHook

__all__ = [
    'AtomicCheckpointHook', 'EMATeacherHook', 'RandomStreamsHook',
    'UDAVisualizationHook'
]

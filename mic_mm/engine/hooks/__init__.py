# Copyright (c) mic_mm authors. All rights reserved.
from .ema_teacher_hook import EMATeacherHook
from .random_streams_hook import RandomStreamsHook
from .uda_visualization_hook import UDAVisualizationHook

__all__ = ['EMATeacherHook', 'RandomStreamsHook', 'UDAVisualizationHook']

# Copyright (c) mic_mm authors. All rights reserved.
from .uda_optim_wrapper_constructor import UDAOptimWrapperConstructor

__all__ = ['UDAOptimWrapperConstructor']

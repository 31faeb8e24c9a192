# Copyright (c) mic_mm authors. All rights reserved.
from .inverse_decay import InverseDecayLR
from .sam_optim_wrapper import SAMAmpOptimWrapper, SAMOptimWrapper
from .uda_optim_wrapper_constructor import UDAOptimWrapperConstructor

__all__ = [
    'InverseDecayLR', 'SAMAmpOptimWrapper', 'SAMOptimWrapper',
    'UDAOptimWrapperConstructor'
]

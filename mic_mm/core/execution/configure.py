# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from .checkpointing import CheckpointedForward
from .compilation import CompiledForward, check_compile_options
from .named_modules import named_modules
from .precision import FullPrecisionForward

_PLACE = 'model.execution'
_OPTIONS = ('activation_checkpointing', 'full_precision', 'memory_format',
            'compile')
_MEMORY_FORMATS = ('channels_last', )
_COMPILED = ('backbone', )


def configure_execution(student: nn.Module,
                        execution: Optional[Mapping[str, Any]]) -> None:
    """Set how a network is run; what it computes stays the same.

    .. code-block:: python

        model = dict(
            execution=dict(
                activation_checkpointing=['backbone.layers'],
                full_precision=['decode_head.conv_seg'],
                memory_format='channels_last',
                compile=dict(modules=['backbone'], mode='default')))

    It acts on the student before anything is copied from it, so teachers and
    frozen copies are run the same way.  Names of parameters, checkpoints and
    exported models are not affected, and a run may be resumed with other
    settings.  Modules are named as in the wrapped model; a list of modules
    (``backbone.layers`` of a transformer) stands for each of its entries.
    It is their forward pass that changes: naming a module that is never
    called itself, such as a whole ``roi_head``, has no effect.

    * ``activation_checkpointing`` (list[str]): Modules whose activations are
      computed again in the backward pass instead of kept: less memory, about
      a third more time.
    * ``full_precision`` (list[str]): Modules that mixed precision leaves in
      float32. Naming the last layers of a head makes what follows, such as
      non-maximum suppression, work on float32 as well. MMDetection's
      two-stage detectors need ``['rpn_head.rpn_cls', 'rpn_head.rpn_reg',
      'roi_head.bbox_roi_extractor']`` in bfloat16 and on the CPU, since
      operations of MMCV are missing there.
    * ``memory_format`` (str): ``'channels_last'`` stores the weights of
      convolutions accordingly, which then compute in that format and hand
      it on: faster on GPUs with tensor cores in half precision.
    * ``compile`` (dict | bool): ``modules``, by default ``['backbone']``, are
      compiled, with the further entries as arguments of ``torch.compile``.
      MMEngine's switch ``compile`` of the runner compiles the whole training
      step instead, which mic_mm's draws and contexts break into pieces.

    Args:
        student (nn.Module): The network; changed in place.
        execution (Mapping, optional): The options; None changes nothing.

    Raises:
        TypeError: If an option has the wrong type.
        ValueError: If an option, a module or a value is unknown.
    """
    options = _checked(execution)
    _wrap(student, options, 'full_precision', FullPrecisionForward)
    _compile(student, options.get('compile'))
    # Outermost: what is compiled is run again as a whole.
    _wrap(student, options, 'activation_checkpointing', CheckpointedForward)
    _set_memory_format(student, options.get('memory_format'))


def _checked(execution: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    if execution is None:
        return {}
    if not isinstance(execution, Mapping):
        raise TypeError(f'{_PLACE}={execution!r} is no dict of options.')
    unknown = [name for name in execution if name not in _OPTIONS]
    if unknown:
        raise ValueError(f'{_PLACE} has unknown entries {unknown}; it takes '
                         f'{_OPTIONS}.')
    return dict(execution)


def _wrap(student: nn.Module, options: Mapping[str, Any], name: str,
          wrapper: type) -> None:
    modules = named_modules(student,
                            options.get(name) or (), f'{_PLACE}.{name}')
    for module in modules.values():
        module.forward = wrapper(module)


def _compile(student: nn.Module, compile_: Mapping[str, Any] | bool | None) -> None:
    if compile_ is None or compile_ is False:
        return
    if not isinstance(compile_, Mapping) and compile_ is not True:
        raise TypeError(f'{_PLACE}.compile={compile_!r} is neither a dict nor '
                        'a bool.')
    options = {} if compile_ is True else dict(compile_)
    names = options.pop('modules', _COMPILED)
    check_compile_options(options, f'{_PLACE}.compile')
    modules = named_modules(student, names, f'{_PLACE}.compile.modules')
    for module in modules.values():
        module.forward = CompiledForward(module, options)


def _set_memory_format(student: nn.Module, name: Optional[str]) -> None:
    if name is None:
        return
    if name not in _MEMORY_FORMATS:
        raise ValueError(f'{_PLACE}.memory_format={name!r} is unknown; choose '
                         f'one of {_MEMORY_FORMATS}.')
    convert_conv2d_weight_memory_format(student, getattr(torch, name))

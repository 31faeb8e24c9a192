# Copyright (c) mic_mm authors. All rights reserved.
"""Whether pretrained weights fit, told before they are loaded."""
from __future__ import annotations

import os
from typing import Optional

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from mic_mm.utils.checkpoint_file import check_harmless

_SHOWN = 4


def check_pretrained(model: nn.Module) -> None:
    """Refuse ``init_cfg=dict(type='Pretrained', ...)`` with wrong weights.

    MMEngine loads what fits and only warns of the rest, so that training
    would start from random weights, for example with a file of timm that was
    not converted.  A module that converts other names itself
    (``convert_weights=True``) is not checked.  A file that would run code is
    refused, see :func:`~mic_mm.utils.checkpoint_file.check_harmless`.

    Args:
        model (nn.Module): The model whose modules are initialised.

    Raises:
        ValueError: If a file has less than half of the parameters of its
            module under their names and with their shapes.
        FileNotFoundError: If there is no such file.
        ConnectionError: If it cannot be downloaded.
        CheckpointError: If it would run code.
    """
    for name, module in model.named_modules():
        cfg = getattr(module, 'init_cfg', None)
        if not isinstance(cfg, dict) or cfg.get('type') != 'Pretrained':
            continue
        check_harmless(cfg['checkpoint'])
        if not getattr(module, 'convert_weights', False):
            _check(name, module, cfg['checkpoint'], cfg.get('prefix'))


def _check(name: str, module: nn.Module, checkpoint: str,
           prefix: Optional[str]) -> None:
    place = f"init_cfg=dict(type='Pretrained') of {name or 'the model'}"
    try:
        content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{place}: the file {checkpoint!r} does not exist. Prepare it, '
            'or correct the path; without pretrained weights set '
            'init_cfg=None.') from error
    except OSError as error:
        raise ConnectionError(
            f'{place}: {checkpoint} cannot be downloaded ({error}). '
            f'Download it elsewhere and put it into {_cache()}, or name the '
            'file in its place; without pretrained weights set '
            'init_cfg=None.') from error
    weights = _weights(content, prefix)
    expected = dict(module.named_parameters())
    fitting = [
        key for key, value in expected.items()
        if key in weights and weights[key].shape == value.shape
    ]
    if 2 * len(fitting) < len(expected):
        raise ValueError(
            f'{place}: only {len(fitting)} of {len(expected)} parameters are '
            f'in {checkpoint!r}. It has {_some(weights)}; expected are '
            f'{_some(expected)}. Convert the file (tools/model_converters), '
            "or select a part of it, e.g. with prefix='backbone.'.")


def _cache() -> str:
    """Where PyTorch keeps, and looks for, what it downloads."""
    return os.path.join(torch.hub.get_dir(), 'checkpoints')


def _weights(content: dict, prefix: Optional[str]) -> dict[str, Tensor]:
    weights = {
        key.removeprefix('module.'): value
        for key, value in content.get('state_dict', content).items()
    }
    if not prefix:
        return weights
    prefix = prefix if prefix.endswith('.') else f'{prefix}.'
    return {
        key.removeprefix(prefix): value
        for key, value in weights.items() if key.startswith(prefix)
    }


def _some(weights: dict) -> str:
    names = list(weights)
    shown = ', '.join(names[:_SHOWN]) or 'nothing'
    return f'{shown}, ...' if len(names) > _SHOWN else shown

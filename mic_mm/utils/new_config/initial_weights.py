# Copyright (c) mic_mm authors. All rights reserved.
"""The weights that a new config starts from."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

from mmengine.fileio import load

from .base_config import BaseConfig


def published_weights(base: BaseConfig) -> Optional[str]:
    """Address of what the training of a base came to, by its metafile.

    Configs of MMPretrain train on ImageNet from scratch and name no weights;
    those of the other libraries start from such.

    Args:
        base (BaseConfig): The stock config.
    """
    path = Path(base.cfg.filename)
    metafile = path.with_name('metafile.yml')
    if base.task != 'cls' or base.pretrained() or not metafile.is_file():
        return None
    models = load(str(metafile)).get('Models') or ()
    end = f'{path.parent.name}/{path.name}'
    for model in models:
        if str(model.get('Config', '')).endswith(end):
            return model.get('Weights')
    return None


def weights_text(base: BaseConfig, name: str) -> list[str]:
    """Lines that set, or name, the pretrained weights.

    Args:
        base (BaseConfig): The stock config.
        name (str): Variable of its model.
    """
    lines = [f'# Starts from {address}' if address else
             f'# Starts from a file that has to be named: {name}{place}.checkpoint'
             for place, address in base.pretrained()]
    if lines or base.task != 'cls':
        return lines
    address = published_weights(base)
    if address is None:
        return ['# From scratch: the base names no weights. A checkpoint is set by',
                f"# {name}.backbone.init_cfg = dict(type='Pretrained', "
                "checkpoint=..., prefix='backbone')"]
    return ['# The base trains from scratch; this starts from its result.',
            f"{name}.backbone.init_cfg = dict(type='Pretrained', "
            f"checkpoint={address!r}, prefix='backbone')"]


def weights_sentence(base: BaseConfig, pretrained: bool) -> str:
    """What training starts from, for the command line."""
    addresses = [a for _, a in base.pretrained() if a]
    published = published_weights(base)
    addresses += [published] if published else []
    if pretrained and addresses:
        return (f'Training starts from {", ".join(addresses)}, loaded then; '
                'from scratch with --no-pretrained.')
    if pretrained and base.task == 'cls':
        return ('Training starts from scratch: the base names no weights. '
                'The config says where to put a checkpoint.')
    return 'Training starts from scratch.'

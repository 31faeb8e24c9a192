# Copyright (c) mic_mm authors. All rights reserved.
"""Vision Transformers of timm as MMPretrain's."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Optional
from zipfile import BadZipFile

import numpy as np
from mmpretrain.models import VisionTransformer
from torch import Tensor

from mic_mm.utils.checkpoint_file import CheckpointError, read_checkpoint
from mic_mm.utils.strict_loading import load_strictly

from .google_vit import from_google

# Beginning of the name in timm -> in MMPretrain; `#` is the block's number.
_RENAMED = {
    'patch_embed.proj.': 'patch_embed.projection.',
    'blocks.#.norm1.': 'layers.#.ln1.',
    'blocks.#.norm2.': 'layers.#.ln2.',
    'blocks.#.attn.qkv.': 'layers.#.attn.qkv.',
    'blocks.#.attn.proj.': 'layers.#.attn.proj.',
    'blocks.#.mlp.fc1.': 'layers.#.ffn.layers.0.0.',
    'blocks.#.mlp.fc2.': 'layers.#.ffn.layers.1.',
    'norm.': 'ln1.',
    'fc_norm.': 'ln2.',  # of MAE, on the average of the patches
    'cls_token': 'cls_token',
    'pos_embed': 'pos_embed',
}
_LEFT_OUT = ('head.', 'pre_logits.')


def renamed(key: str) -> Optional[str]:
    """Name in MMPretrain of a weight of timm; None if it is left out.

    Raises:
        ValueError: If it is no weight of a plain Vision Transformer.
    """
    if key.startswith(_LEFT_OUT):
        return None
    number = re.match(r'blocks\.(\d+)\.', key)
    number = number.group(1) if number else ''
    for old, new in _RENAMED.items():
        old = old.replace('#', number)
        if key.startswith(old):
            return new.replace('#', number) + key[len(old):]
    raise ValueError(f'{key!r} is no weight of a plain Vision Transformer of '
                     'timm (known: patch_embed, blocks, norm, fc_norm, '
                     'cls_token, pos_embed, head).')


def convert_timm_vit(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of timm under MMPretrain's names."""
    found = {renamed(key): value for key, value in weights.items()}
    return {key: value for key, value in found.items() if key is not None}


def read_timm_vit(path: Path) -> dict[str, Tensor]:
    """Read weights under the names of timm; nothing in the file is executed.

    Args:
        path (Path): ``.pth`` or ``.bin``, ``.safetensors``, or Google's
            ``.npz``.

    Raises:
        CheckpointError: If it is no file of weights.
        ImportError: If safetensors is missing for its file.
    """
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as arrays:
            return from_google(dict(arrays))
    if path.suffix == '.safetensors':
        return _read_safetensors(path)
    try:
        return read_checkpoint(path, key='model')['state_dict']
    except CheckpointError:
        return read_checkpoint(path)['state_dict']


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f'{path} is damaged: {error}') from error


def load_timm_vit(path: Path) -> VisionTransformer:
    """The backbone of MMPretrain with the weights of a file.

    Args:
        path (Path): See :func:`read_timm_vit`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If safetensors is missing for its file.
        ValueError: If it is no plain Vision Transformer.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist.')
    try:
        weights = convert_timm_vit(read_timm_vit(path))
        backbone = build_backbone(weights)
        load_strictly(backbone, weights, str(path))
    except (KeyError, ValueError, BadZipFile) as error:
        reason = f'there is no {error}' if isinstance(error, KeyError) else error
        raise ValueError(f'{path} is no Vision Transformer that can be '
                         f'converted: {reason}') from error
    return backbone


def build_backbone(weights: dict[str, Tensor],
                   head_dims: int = 64) -> VisionTransformer:
    """The VisionTransformer of MMPretrain that the weights belong to.

    Args:
        weights (dict[str, Tensor]): Under MMPretrain's names.
        head_dims (int): Width of an attention head. Defaults to 64, as in all
            published models.

    Raises:
        ValueError: If the width is no multiple of it.
    """
    patches = weights['patch_embed.projection.weight']
    dims, patch_size = patches.shape[0], patches.shape[-1]
    if dims % head_dims:
        raise ValueError(f'its width {dims} is no multiple of {head_dims}, '
                         'the width of an attention head.')
    side = int((weights['pos_embed'].shape[1] - 1)**0.5) * patch_size
    depth = 1 + max(int(key.split('.')[1]) for key in weights
                    if key.startswith('layers.'))
    averaged = 'ln2.weight' in weights
    return VisionTransformer(
        arch=dict(
            embed_dims=dims,
            num_layers=depth,
            num_heads=dims // head_dims,
            feedforward_channels=len(
                weights['layers.0.ffn.layers.0.0.weight'])),
        img_size=side,
        patch_size=patch_size,
        final_norm=not averaged,
        out_type='avg_featmap' if averaged else 'cls_token')

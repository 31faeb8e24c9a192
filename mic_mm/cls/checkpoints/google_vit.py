# Copyright (c) mic_mm authors. All rights reserved.
"""Weights of Google's Vision Transformer under the names of timm."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Name in Google's files -> in timm, where a matrix is only transposed.
_FROM_GOOGLE = {
    'embedding': 'patch_embed.proj',
    'Transformer/encoder_norm': 'norm',
    'Transformer/encoderblock_#/LayerNorm_0': 'blocks.#.norm1',
    'Transformer/encoderblock_#/LayerNorm_2': 'blocks.#.norm2',
    'Transformer/encoderblock_#/MlpBlock_3/Dense_0': 'blocks.#.mlp.fc1',
    'Transformer/encoderblock_#/MlpBlock_3/Dense_1': 'blocks.#.mlp.fc2',
    'head': 'head',
    'pre_logits': 'pre_logits',
}
_ATTENTION = 'Transformer/encoderblock_{}/MultiHeadDotProductAttention_1/'


def from_google(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Weights of a file of Google's Vision Transformer as timm has them."""
    weights = {
        'cls_token': arrays['cls'],
        'pos_embed': arrays['Transformer/posembed_input/pos_embedding'],
    }
    depth = sum('LayerNorm_0/scale' in name for name in arrays)
    for old, new in _FROM_GOOGLE.items():
        for i in range(depth) if '#' in old else ('', ):
            for name, target in (('kernel', 'weight'), ('scale', 'weight'),
                                 ('bias', 'bias')):
                key = f'{old.replace("#", str(i))}/{name}'
                if key in arrays:
                    # Convolutions are (height, width, in, out) there.
                    value = arrays[key]
                    weights[f'{new.replace("#", str(i))}.{target}'] = (
                        value.transpose(3, 2, 0, 1)
                        if value.ndim == 4 else value.T)
    for i in range(depth):
        weights.update(_attention(arrays, i))
    return {
        key: torch.from_numpy(np.ascontiguousarray(value))
        for key, value in weights.items()
    }


def _attention(arrays: dict, i: int) -> dict[str, np.ndarray]:
    place = _ATTENTION.format(i)
    parts = [f'{place}{name}' for name in ('query', 'key', 'value')]
    dims = arrays['cls'].shape[-1]
    return {
        f'blocks.{i}.attn.qkv.weight': np.concatenate(
            [arrays[f'{p}/kernel'].reshape(dims, -1).T for p in parts]),
        f'blocks.{i}.attn.qkv.bias': np.concatenate(
            [arrays[f'{p}/bias'].reshape(-1) for p in parts]),
        f'blocks.{i}.attn.proj.weight':
        arrays[f'{place}out/kernel'].reshape(-1, dims).T,
        f'blocks.{i}.attn.proj.bias': arrays[f'{place}out/bias'],
    }

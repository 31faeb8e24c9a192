#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Convert a Vision Transformer of timm to MMPretrain's VisionTransformer.

SRC is a state dict of timm (.pth, .bin, .safetensors) or the .npz file of
Google's Vision Transformer from which timm's weights come. The published runs
of MIC start from timm 0.5's vit_base_patch16_224, which current timm calls
vit_base_patch16_224.augreg_in21k_ft_in1k; plain vit_base_patch16_224 is
another checkpoint today. The classifier is left out.

  python -c "import timm, torch; torch.save(timm.create_model(
    'vit_base_patch16_224.augreg_in21k_ft_in1k', pretrained=True).state_dict(),
    'timm_vit.pth')"
  python tools/model_converters/timm_vit_to_mmpretrain.py timm_vit.pth \\
    checkpoints/vit-b16_augreg_in21k_ft_in1k_224.pth
"""
from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

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


def rename(key: str) -> str | None:
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


def convert(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of timm under MMPretrain's names."""
    renamed = {rename(key): value for key, value in weights.items()}
    renamed.pop(None, None)
    return renamed


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


def read(path: Path) -> dict[str, Tensor]:
    """Read the weights of timm or Google."""
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as arrays:
            return from_google(dict(arrays))
    if path.suffix == '.safetensors':
        from safetensors.torch import load_file
        return load_file(path)
    content = torch.load(path, map_location='cpu', weights_only=True)
    if not isinstance(content, dict):
        raise ValueError(f'it holds a {type(content).__name__}, no weights.')
    for key in ('state_dict', 'model'):
        content = content.get(key, content)
    return content


def build_backbone(weights: dict[str, Tensor], head_dims: int = 64):
    """The VisionTransformer of MMPretrain that the weights belong to.

    Args:
        weights (dict[str, Tensor]): Under MMPretrain's names.
        head_dims (int): Width of an attention head. Defaults to 64, as in all
            published models.

    Raises:
        ValueError: If the width is no multiple of it.
    """
    from mmpretrain.models import VisionTransformer
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', type=Path, help='.pth, .safetensors or .npz')
    parser.add_argument('dst', type=Path, help='the converted .pth')
    args = parser.parse_args()
    if not args.src.is_file():
        parser.error(f'{args.src} does not exist.')
    try:
        weights = convert(read(args.src))
        backbone = build_backbone(weights)
        # Strict: every weight is there, none is too many.
        backbone.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        parser.error(f'{args.src} is no Vision Transformer that can be '
                     f'converted: {error}')
    args.dst.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=backbone.state_dict()), args.dst)
    print(f'{args.dst}: {len(weights)} weights, {backbone.num_layers} layers '
          f'of {backbone.embed_dims}, images of {backbone.img_size}')


if __name__ == '__main__':
    main()

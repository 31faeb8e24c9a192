# Copyright (c) mic_mm authors. All rights reserved.
"""Segmentors of MIC's experiments: tiny ones, and recorded ones."""
from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mic_mm.registry import MODELS
from mic_mm.utils.strict_loading import load_strictly

from .golden import GoldenCase

_NORM = dict(type='BN', requires_grad=True)


def tiny_daformer(num_classes: int = 4) -> dict:
    """DAFormer on a Mix Transformer of four narrow stages."""
    return dict(
        type='EncoderDecoder',
        data_preprocessor=_preprocessor(),
        backbone=_mix_transformer(),
        decode_head=_daformer_head(num_classes),
        test_cfg=dict(mode='whole'))


def tiny_dlv2(num_classes: int = 4) -> dict:
    """DeepLabV2 on a narrow ResNetV1c-50 with output stride 8."""
    return dict(
        type='EncoderDecoder',
        data_preprocessor=_preprocessor(),
        backbone=dict(
            type='ResNetV1c',
            depth=50,
            stem_channels=8,
            base_channels=4,
            num_stages=4,
            out_indices=(0, 1, 2, 3),
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4),
            contract_dilation=True,
            norm_cfg=_NORM),
        decode_head=dict(
            type='mic_mm.DLV2Head',
            in_channels=128,
            in_index=3,
            num_classes=num_classes),
        test_cfg=dict(mode='whole'))


def tiny_hrda(num_classes: int = 4, hr_crop_size: int = 32) -> dict:
    """HRDA with the DAFormer head, for images of twice the crop size."""
    return dict(
        type='mic_mm.HRDAEncoderDecoder',
        hr_crop_size=(hr_crop_size, hr_crop_size),
        data_preprocessor=_preprocessor(),
        backbone=_mix_transformer(),
        decode_head=dict(
            type='mic_mm.HRDAHead',
            attention_channels=8,
            single_scale_head=_daformer_head(num_classes)),
        test_cfg=dict(mode='whole'))


def _preprocessor() -> dict:
    return dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=1)


def _mix_transformer() -> dict:
    return dict(
        type='mic_mm.MixVisionTransformer',
        embed_dims=4,
        num_layers=[1, 1, 1, 1],
        num_heads=[1, 2, 5, 8],
        sr_ratios=[8, 4, 2, 1])


def _daformer_head(num_classes: int) -> dict:
    return dict(
        type='mic_mm.DAFormerHead',
        in_channels=[4, 8, 20, 32],
        in_index=[0, 1, 2, 3],
        channels=8,
        dropout_ratio=0.,
        num_classes=num_classes,
        norm_cfg=_NORM)


def golden_segmentor(case: GoldenCase, group: str = 'weights/') -> nn.Module:
    """Our segmentor of a recorded configuration, with the recorded weights.

    Args:
        case (GoldenCase): A case whose configuration is a segmentor's, e.g.
            ``case10_hrda`` or ``case11_daformer_inputs``.
        group (str): Group of arrays with its weights, e.g. ``'student/'``.
            Defaults to ``'weights/'``.
    """
    model = build_golden_segmentor(case)
    load_golden_weights(model, case, group)
    return model


def build_golden_segmentor(case: GoldenCase) -> nn.Module:
    """Our segmentor of a recorded configuration, not initialized."""
    from mic_mm.seg.checkpoints import convert_model_config
    return build_segmentor(convert_model_config(case.config))


def build_segmentor(cfg: Mapping) -> nn.Module:
    """Build a segmentor as MMEngine's runner would."""
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(ConfigDict(cfg))


def load_golden_weights(model: nn.Module,
                        case: GoldenCase,
                        group: str = 'weights/') -> None:
    """Load recorded weights, each of which must have a place."""
    load_strictly(model, golden_weights(case, group), case.path.name)


def golden_weights(case: GoldenCase, group: str) -> dict[str, Tensor]:
    """Recorded weights, or gradients, of a group under our names."""
    from mic_mm.seg.checkpoints import convert_weights
    return convert_weights(original_arrays(case, group))


def original_arrays(case: GoldenCase, group: str) -> dict[str, Tensor]:
    """The arrays of a group under their names in the original code."""
    return {
        name.removeprefix(group): torch.from_numpy(case[name])
        for name in case.names(f'{group}*')
    }


def in_original_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our weights or gradients by the original's names, the other way round.

    The original keeps queries apart from keys and values, and has linear
    layers where MMSegmentation has 1×1 convolutions.
    """
    renamed: dict[str, Tensor] = {}
    for name, value in tensors.items():
        prefix, separator, rest = name.partition('layers.')
        parts = rest.split('.')
        if not separator or not parts[0].isdigit() or 'backbone' not in prefix:
            renamed[name] = value
            continue
        renamed.update(_original_layer(prefix, parts, value))
    return renamed


def _original_layer(prefix: str, parts: list[str],
                    value: Tensor) -> dict[str, Tensor]:
    stage, part, *rest = parts
    stage = str(int(stage) + 1)
    if part == '0':
        layer = rest[0].replace('projection', 'proj')
        return {f'{prefix}patch_embed{stage}.{layer}.{rest[1]}': value}
    if part == '2':
        return {f'{prefix}norm{stage}.{rest[0]}': value}
    block, name = f'{prefix}block{stage}.{rest[0]}.', '.'.join(rest[1:])
    if name.startswith('attn.attn.in_proj_'):
        kind = name.removeprefix('attn.attn.in_proj_')
        width = len(value) // 3
        return {
            f'{block}attn.q.{kind}': value[:width],
            f'{block}attn.kv.{kind}': value[width:]
        }
    for ours, theirs in (('attn.attn.out_proj.', 'attn.proj.'),
                         ('ffn.layers.0.', 'mlp.fc1.'),
                         ('ffn.layers.1.', 'mlp.dwconv.dwconv.'),
                         ('ffn.layers.4.', 'mlp.fc2.')):
        if name.startswith(ours):
            name = theirs + name.removeprefix(ours)
    if name in ('mlp.fc1.weight', 'mlp.fc2.weight'):
        value = value[..., 0, 0]
    return {block + name: value}

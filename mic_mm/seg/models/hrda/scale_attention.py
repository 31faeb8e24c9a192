# Copyright (c) mic_mm authors. All rights reserved.
"""Which scale to trust where."""
from __future__ import annotations

import copy

from mic_mm.registry import MODELS

from ..daformer_head import DAFormerHead


def default_scale_attention(head: dict, channels: int,
                            classwise: bool) -> dict:
    """Config of the attention's decoder, made from that of the head.

    A DAFormer head gets ``channels`` channels and, instead of the pyramid, a
    1×1 convolution; any other head is used as it is (HRDA, sec. 4.1).

    Args:
        head (dict): Config of the head of a single scale.
        channels (int): Channels of a DAFormer head.
        classwise (bool): One map for each class, or one for all.
    """
    attention = copy.deepcopy(dict(head))
    if issubclass(_class_of(attention['type']), DAFormerHead):
        attention.update(channels=channels, embed_channels=channels)
        if 'ASPPFusion' in _fusion_type(attention):
            attention['fusion'] = dict(type='mic_mm.ConvFusion')
    if not classwise:
        # The threshold is never used; giving it keeps MMSegmentation from
        # warning that it is missing.
        attention.update(num_classes=1, out_channels=1, threshold=0.5)
    return attention


def _class_of(type_: str | type) -> type:
    return MODELS.get(type_) if isinstance(type_, str) else type_


def _fusion_type(head: dict) -> str:
    type_ = (head.get('fusion') or dict(type='mic_mm.ASPPFusion'))['type']
    return type_ if isinstance(type_, str) else type_.__name__

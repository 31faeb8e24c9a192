# Copyright (c) mic_mm authors. All rights reserved.
"""A config with which MMSegmentation predicts like the original."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from mmengine.config import Config

from .original_config import convert_model_config


def is_original_config(cfg: Mapping) -> bool:
    """Whether a config is of the original code (MMSegmentation 0.x)."""
    model = cfg.get('model') or {}
    return 'data_preprocessor' not in model and 'decode_head' in model and (
        'data' in cfg or 'uda' in cfg or 'single_scale_head' in
        model['decode_head'] or 'decoder_params' in model['decode_head'])


def inference_config(original: Mapping) -> Config:
    """Model and test pipeline of an original config, for MMSegmentation 1.x.

    Raises:
        ValueError: If the model is none of MIC's.
    """
    scale = _test_scale(original)
    resize = [dict(type='Resize', scale=scale, keep_ratio=True)] if scale else []
    return Config(
        dict(
            custom_imports=dict(
                imports=['mic_mm'], allow_failed_imports=False),
            default_scope='mmseg',
            model=convert_model_config(original['model']),
            test_pipeline=[
                dict(type='LoadImageFromFile'), *resize,
                dict(type='PackSegInputs')
            ]))


def _test_scale(original: Mapping) -> Optional[tuple[int, int]]:
    """Width and height that test images are resized to."""
    test = (original.get('data') or {}).get('test') or {}
    for transform in test.get('pipeline', ()):
        scale: Any = transform.get('img_scale')
        if scale is not None:
            return tuple(scale)
    return None

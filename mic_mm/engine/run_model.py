# Copyright (c) mic_mm authors. All rights reserved.
"""The model of a run without its runner."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from mmengine.runner.checkpoint import _load_checkpoint, _load_checkpoint_to_model
from torch import nn

from mic_mm.registry import MODELS
from mic_mm.utils.checkpoint_file import check_checkpoint_file

from .hooks.check_checkpoint import check_checkpoint


def build_run_model(cfg: Config) -> nn.Module:
    """The model of a config as a runner builds it, on the CPU.

    Args:
        cfg (Config): Config of a run. It is not changed.
    """
    model = dict(cfg.model)
    if cfg.get('data_preprocessor'):
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return MODELS.build(model)


def load_run_weights(model: nn.Module, checkpoint: str) -> dict[str, Any]:
    """Load weights as a runner does, but only such that fit.

    Args:
        model (nn.Module): The model.
        checkpoint (str): Path or address of its checkpoint.

    Returns:
        dict[str, Any]: The meta information of the checkpoint.

    Raises:
        CheckpointError: If the file cannot be used, or does not fit.
    """
    check_checkpoint_file(checkpoint)
    content = _load_checkpoint(checkpoint, map_location='cpu')
    check_checkpoint(content, model, checkpoint)
    _load_checkpoint_to_model(model, content)
    return content.get('meta') or {}

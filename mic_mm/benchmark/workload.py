# Copyright (c) mic_mm authors. All rights reserved.
"""A model of a config with random images, ready to be trained."""
from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import init_default_scope

from mic_mm.core import UDAModel
from mic_mm.registry import MODELS
from mic_mm.tasks import TASK_ROOMS

Size = tuple[int, int]


@dataclass
class Workload:
    """What one training iteration needs.

    Attributes:
        model (UDAModel): The model, in training mode.
        optim_wrapper (OptimWrapper | OptimWrapperDict): Its optimizers.
        data (dict): A batch as the data loader delivers it, on the host.
        size (tuple[int, int]): Height and width of the images.
        batch_size (int): Images of each domain.
    """

    model: UDAModel
    optim_wrapper: OptimWrapper | OptimWrapperDict
    data: dict
    size: Size
    batch_size: int

    def batch(self) -> dict:
        """A fresh copy of the data: preprocessing may change them."""
        return copy.deepcopy(self.data)

    def iterate(self, data: dict) -> dict:
        """One training iteration, as the loop and the hook of a run do it."""
        self.model.train()
        self.model.update_teachers()
        return self.model.train_step(data, self.optim_wrapper)


def build_workload(cfg: Config,
                   device: str = 'cpu',
                   size: Optional[Size] = None,
                   batch_size: Optional[int] = None,
                   seed: int = 0) -> Workload:
    """Build model and optimizers of a config, and random images for it.

    Neither data sets nor pretrained weights are needed: networks start from
    their random initialisation, which takes the same time.

    Args:
        cfg (Config): The config; left unchanged.
        device (str): Where to train. Defaults to ``'cpu'``.
        size (tuple[int, int], optional): Height and width of the images, to
            which the model is adapted. Defaults to None, those of the config.
        batch_size (int, optional): Images of each domain. Defaults to None,
            that of the config.
        seed (int): Seed of weights and images. Defaults to 0.

    Raises:
        ValueError: If the config trains neither a model of mic_mm nor one of
            its libraries, or does not say how large its images are.
    """
    cfg = Config(without_pretrained(cfg.to_dict()))
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    inputs = _task_inputs(cfg)
    cfg = _adapted(cfg, inputs.WRAPPER)
    size = size or inputs.image_size(cfg) or _size_in_pipeline(cfg)
    if size is None:
        raise ValueError('The config does not say how large its training '
                         'images are. Give --size HEIGHT WIDTH.')
    batch_size = batch_size or cfg.train_dataloader.batch_size
    torch.manual_seed(seed)
    model_cfg = inputs.resized_model(cfg.model, size)
    model_cfg.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    model = MODELS.build(model_cfg)
    model.init_weights()
    model.to(device).train()
    # All objectives have begun.
    model.iteration = max(o.begin for o in model.objectives.values())
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    _count_from_start(optim_wrapper, model)
    source = inputs.random_batch(model.student, batch_size, size, seed)
    target = inputs.random_batch(model.student, batch_size, size, seed + 1)
    data = dict(source=source, target=_without_labels(target))
    if not any(o.needs_target for o in model.objectives.values()):
        data = source
    return Workload(model, optim_wrapper, data, size, batch_size)


def without_pretrained(cfg: Any) -> Any:
    """A copy of a config in which nothing is loaded from a checkpoint."""
    if isinstance(cfg, Mapping):
        if cfg.get('type') == 'Pretrained':
            return None
        return {key: without_pretrained(value) for key, value in cfg.items()}
    if isinstance(cfg, (list, tuple)):
        kept = [without_pretrained(item) for item in cfg]
        return type(cfg)(
            item for item, old in zip(kept, cfg)
            if item is not None or old is None)
    return cfg


def _task_inputs(cfg: Config):
    """The module of the task that knows what a batch looks like."""
    scope = _task_of(cfg) or cfg.get('default_scope')
    for room, (library, *_) in TASK_ROOMS.items():
        if library == scope:
            return importlib.import_module(f'mic_mm.{room}.random_inputs')
    raise ValueError(
        f'model.type={cfg.model.type!r} is neither a model of mic_mm nor one '
        f'of default_scope={scope!r}. Use a config of configs/seg, '
        'configs/cls or configs/det, or one that inherits from them.')


def _task_of(cfg: Config) -> Optional[str]:
    """The library of a model of mic_mm; None for a model of a library."""
    return getattr(MODELS.get(str(cfg.model.type)), 'task_scope', None)


def _adapted(cfg: Config, wrapper: dict) -> Config:
    """A config of mic_mm; one of a library is given its source objective.

    That trains bit for bit the same.
    """
    if _task_of(cfg) is not None:
        return cfg
    (name, type_), = wrapper.items()
    cfg.model = dict(
        type=type_,
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')),
        **{name: cfg.model})
    cfg.optim_wrapper.constructor = 'mic_mm.UDAOptimWrapperConstructor'
    return cfg


def _size_in_pipeline(cfg: Config) -> Optional[Size]:
    """The size of the last crop or scale before images are packed."""
    dataset = cfg.train_dataloader.dataset
    while 'pipeline' not in dataset:
        inner = dataset.get('source') or dataset.get('dataset')
        if inner is None:
            return None
        dataset = inner
    for transform in reversed(dataset.pipeline):
        for key in ('crop_size', 'scale'):
            size = transform.get(key)
            size = (size, size) if isinstance(size, int) else size
            if (isinstance(size, (list, tuple)) and len(size) == 2
                    and all(isinstance(side, int) for side in size)):
                # scales are (width, height)
                return tuple(size if key == 'crop_size' else size[::-1])
    return None


def _count_from_start(optim_wrapper: OptimWrapper | OptimWrapperDict,
                      model: UDAModel) -> None:
    wrappers = (
        optim_wrapper.values()
        if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper])
    for wrapper in wrappers:
        # As a run does that has no end in sight.
        wrapper.initialize_count_status(model, 0, 10**9)


def _without_labels(batch: dict) -> dict:
    samples = [type(s)(metainfo=s.metainfo) for s in batch['data_samples']]
    return dict(inputs=batch['inputs'], data_samples=samples)

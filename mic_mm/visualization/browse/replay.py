# Copyright (c) mic_mm authors. All rights reserved.
"""Iterations of a training run without its optimizer steps."""
from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Optional

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import sync_random_seed
from mmengine.registry import init_default_scope
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from mmengine.runner.utils import set_random_seed
from torch.utils.data import DataLoader

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.core.draws import seed_from
from mic_mm.engine.data.random_state import seeded_random_state
from mic_mm.engine.hooks.check_masks import check_masks
from mic_mm.engine.run_model import build_run_model, load_run_weights
from mic_mm.registry import LOOPS


@dataclass(frozen=True)
class Recording:
    """What the objectives of one iteration trained on.

    Attributes:
        iteration (int): Index of the iteration, from 0.
        panels (dict[str, LabelledImages]): What they recorded, by name.
        values (dict[str, float]): What they log, e.g.
            ``mic.pseudo_confidence``.
    """

    iteration: int
    panels: dict[str, LabelledImages]
    values: dict[str, float]


class TrainingReplay:
    """Shows any iteration of a config's training, without training.

    Data set, sampler, preprocessor, teacher and objectives are those of the
    config, and pairs, augmentation and random draws depend on seed and
    iteration only.  So an iteration sees the images, masks and mixes that
    training (in one process, with the batch size of the config) sees in that
    iteration.  Its pseudo-labels are those of the given weights: equal to
    those of training in the first iteration after the checkpoint, and an
    early or late opinion elsewhere.

    Target labels are never loaded into the model: the data set removes them
    as in training.

    Args:
        cfg (Config): A training config; left unchanged.
        checkpoint (str, optional): Weights of student and teacher. Defaults
            to None: initialised as for training, pretrained parts included.
        seed (int, optional): Defaults to None, ``cfg.randomness.seed``.
        device (str, optional): Defaults to None, MMEngine's choice.

    Raises:
        TypeError: If the config trains no model of mic_mm.
        ValueError: If it has no training data, or the checkpoint does not
            fit.

    Attributes:
        model (UDAModel): The model.
        loader (DataLoader): The training data loader.
        seed (int): The seed.
        teacher_origin (str): Where pseudo-labels come from, in words.
        checkpoint_iteration (int, optional): Iterations the checkpoint was
            trained for.
    """

    def __init__(self,
                 cfg: Config,
                 checkpoint: Optional[str] = None,
                 seed: Optional[int] = None,
                 device: Optional[str] = None) -> None:
        if cfg.get('train_dataloader') is None:
            raise ValueError('The config has no train_dataloader, so there '
                             'is nothing that training would see.')
        init_default_scope(cfg.get('default_scope', 'mmengine'))
        given = cfg.get('randomness', {}).get('seed')
        self.seed = given if seed is None else seed
        if self.seed is None:
            self.seed = sync_random_seed()
        # In the order of the runner, so that initial weights are the same.
        set_random_seed(self.seed)
        self.model = _model(cfg).to(device or get_device())
        self.loader = _loader(cfg, self.seed)
        if _trains_iterations(cfg):
            # The loop is built before the weights are initialised.  Up to MMEngine
            # 0.10.7 it opens its loader then, which draws a number for the workers.
            _InfiniteDataloaderIterator(self.loader)
        self.checkpoint_iteration: Optional[int] = None
        self.teacher_origin = self._load(checkpoint)
        self.model.seed = self.seed
        check_masks(self.model, self.loader)
        # EMATeacherHook does so before an iteration; it copies a new teacher.
        self.model.update_teachers()
        self.model.train()

    @property
    def first_full_iteration(self) -> int:
        """The first iteration in which all objectives are active."""
        return max(obj.begin for obj in self.model.objectives.values())

    @property
    def batch_size(self) -> int:
        """Images of each domain in an iteration."""
        return self.loader.batch_size or 1

    def batch(self, iteration: int) -> dict[str, Any]:
        """The preprocessed batch of an iteration.

        Raises:
            ValueError: If ``iteration`` is negative.
        """
        if iteration < 0:
            raise ValueError(f'Iteration {iteration} is negative; they are '
                             'counted from 0.')
        items = _indices(self.loader, iteration)
        # Data sets that are not paired draw from the global generators.
        with seeded_random_state(seed_from(self.seed, iteration, 'browse')):
            data = self.loader.collate_fn(
                [self.loader.dataset[item] for item in items])
            self.model.check_loaded(data)
            return self.model.data_preprocessor(data, True)

    @torch.no_grad()
    def record(self, iteration: int) -> Recording:
        """Evaluate the objectives of an iteration.

        Args:
            iteration (int): Index of the iteration, from 0.
        """
        model = self.model
        model.iteration = iteration
        model.record_panels = True
        data = self.batch(iteration)
        with seeded_random_state(seed_from(self.seed, iteration, 0, 'global')):
            losses = model(**data, mode='loss')
        panels, model.panels = model.panels, {}
        _, values = model.parse_losses(losses)
        return Recording(iteration, panels, {
            name: float(value)
            for name, value in values.items()
        })

    def _load(self, path: Optional[str]) -> str:
        model = self.model
        if path is None:
            model.init_weights()
            return ('an untrained teacher, because no checkpoint was given: '
                    'a copy of the student as training starts with it')
        self.checkpoint_iteration = load_run_weights(model, path).get('iter')
        if all(teacher.initialized for teacher in model.teachers()):
            return f'the teacher of {path}'
        return f'the student of {path}, which has no teacher'


def _loader(cfg: Config, seed: int) -> DataLoader:
    loader_cfg = dict(cfg.train_dataloader)
    # In this process: the images do not depend on the number of workers.
    loader_cfg.update(num_workers=0, persistent_workers=False)
    for name in ('prefetch_factor', 'pin_memory', 'timeout'):
        loader_cfg.pop(name, None)
    return Runner.build_dataloader(loader_cfg, seed=seed)


def _trains_iterations(cfg: Config) -> bool:
    loop = cfg.get('train_cfg') or {}
    kind = loop.get('type')
    if kind is None:
        return not loop.get('by_epoch', False)
    return issubclass(LOOPS.get(kind) if isinstance(kind, str) else kind, IterBasedTrainLoop)


def _model(cfg: Config) -> UDAModel:
    model = build_run_model(cfg)
    if not isinstance(model, UDAModel):
        raise TypeError(
            f'The config trains a {type(model).__name__} without mic_mm. Use '
            'a config of a mic_mm.UDASegmentor, mic_mm.UDAClassifier or '
            'mic_mm.UDADetector, or the browse_dataset tool of its library.')
    return model


def _indices(loader: DataLoader, iteration: int) -> list:
    """What the data set is indexed by in an iteration."""
    sampler: Any = loader.sampler
    within = iteration
    if getattr(sampler, 'is_infinite', True) is False:
        epoch, within = divmod(iteration, len(loader))
        sampler.set_epoch(epoch)
    return next(itertools.islice(iter(loader.batch_sampler), within, None))

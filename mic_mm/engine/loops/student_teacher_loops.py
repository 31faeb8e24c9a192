# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Union

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner, TestLoop, ValLoop
from mmengine.runner.amp import autocast
from torch import nn
from torch.utils.data import DataLoader

from mic_mm.core.uda_model import UDAModel
from mic_mm.registry import LOOPS

from ..hooks.ema_teacher_hook import uda_model
from .branch_evaluator import BranchEvaluator

BRANCHES = ('student', 'teacher')


class _StudentTeacherLoop:
    """Evaluates student and teacher of a UDA model in one pass.

    Each batch is loaded once and predicted by both.  Metrics are named
    ``student/<metric>`` and ``teacher/<metric>``; hooks that draw predictions
    get those of ``model.predict_on``.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): The images.
        evaluator (Evaluator | dict | list): The metrics; each branch has its
            own.
        fp16 (bool): Predict in mixed precision. Defaults to False.

    Raises:
        TypeError: If the model is no UDA model.
        ValueError: If the model has no teacher, or a metric writes files.
    """

    stage: str
    # Of the loop of MMEngine that is mixed in.
    runner: Runner
    evaluator: BranchEvaluator
    fp16: bool

    def __init__(self,
                 runner: Runner,
                 dataloader: Union[DataLoader, dict],
                 evaluator: Union[Evaluator, dict, list],
                 fp16: bool = False) -> None:
        self._model = _model_with_teacher(runner.model, self.stage)
        evaluators = {
            branch: _build_evaluator(runner, evaluator)
            for branch in BRANCHES
        }
        super().__init__(  # type: ignore[call-arg]
            runner, dataloader, BranchEvaluator(evaluators), fp16)

    def run(self) -> dict:
        """Evaluate.

        Raises:
            RuntimeError: If the weights of the teacher are neither trained
                nor loaded.
        """
        if not self._model.teacher.initialized:
            raise RuntimeError(
                'The teacher has no weights: it has not been trained, and the '
                'checkpoint, if any, is that of a plain model. Evaluate the '
                f'student alone: remove `type` from {self.stage}_cfg.')
        return super().run()

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Predict a batch with both networks and add it to the metrics."""
        hook_args = dict(batch_idx=idx, data_batch=data_batch)
        self.runner.call_hook(f'before_{self.stage}_iter', **hook_args)
        step = getattr(self.runner.model, f'{self.stage}_step')
        shown = None
        for branch, evaluator in self.evaluator.evaluators.items():
            # Predictions are written into the data samples of the batch.
            batch = copy.deepcopy(data_batch)
            with predicting_on(self._model, branch), autocast(
                    enabled=self.fp16):
                outputs = step(batch)
            evaluator.process(data_samples=outputs, data_batch=batch)
            if branch == self._model.predict_on:
                shown = outputs
        self.runner.call_hook(
            f'after_{self.stage}_iter', **hook_args, outputs=shown)


@LOOPS.register_module()
class StudentTeacherValLoop(_StudentTeacherLoop, ValLoop):  # noqa: D101
    __doc__ = f'''{_StudentTeacherLoop.__doc__}
    .. code-block:: python

        val_cfg = dict(type='mic_mm.StudentTeacherValLoop')
    '''

    stage = 'val'


@LOOPS.register_module()
class StudentTeacherTestLoop(_StudentTeacherLoop, TestLoop):  # noqa: D101
    __doc__ = f'''{_StudentTeacherLoop.__doc__}
    .. code-block:: python

        test_cfg = dict(type='mic_mm.StudentTeacherTestLoop')
    '''

    stage = 'test'


@contextmanager
def predicting_on(model: UDAModel, branch: str) -> Iterator[None]:
    """Predict with the student or the teacher inside the context."""
    before = model.predict_on
    model.predict_on = branch
    try:
        yield
    finally:
        model.predict_on = before


def _model_with_teacher(model: nn.Module, stage: str) -> UDAModel:
    model = uda_model(model)
    if model.teacher is None:
        raise ValueError(
            f'{stage}_cfg.type evaluates student and teacher, but the model '
            "has no teacher. Add teacher=dict(type='mic_mm.EMATeacher') to "
            f'the model, or remove `type` from {stage}_cfg.')
    return model


def _build_evaluator(runner: Runner, evaluator: Any) -> Evaluator:
    evaluator = copy.deepcopy(evaluator)
    if isinstance(evaluator, Evaluator):
        return evaluator
    return runner.build_evaluator(evaluator)

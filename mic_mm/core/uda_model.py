# Copyright (c) mic_mm authors. All rights reserved.
"""The wrapper that adapts a model from a source to a target domain."""
from __future__ import annotations

from abc import abstractmethod
from typing import Any, Optional

from mmengine.dist import get_dist_info
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mic_mm.registry import MODELS, TASK_UTILS

from .data_preprocessor import UDADataPreprocessor
from .domain_batch import DomainBatch, LabelledImages, PseudoLabels
from .draws import SeededDraws
from .ema_teacher import EMATeacher
from .execution import configure_execution
from .objectives.build import (
    build_objectives,
    pseudo_label_objectives,
    share_pseudo_threshold,
)
from .objectives.objective import Objective
from .plain_checkpoint import add_student_prefix
from .pretrained_check import check_pretrained
from .scope import pin_scope
from .teachers import build_own_teachers, build_shared_teacher, check_initialized
from .train_step import train_step

_BRANCHES = ('student', 'teacher')


class UDAModel(BaseModel):
    """A model of an OpenMMLab library, trained for a target domain.

    ``student`` is the wrapped model, untouched.  Each training iteration adds
    up the losses of ``objectives``; with ``SourceSupervision`` alone it
    equals an iteration of the wrapped model in its own library.

    A subclass per task names its library and says how the student's loss is
    weighted.

    Args:
        student (dict | nn.Module): Config of the wrapped model, or the model.
        objectives (dict): Terms of the loss by name; the name prefixes their
            log entries. An entry that is None is switched off. A dict rather
            than a list, so that a child config or ``--cfg-options`` reaches
            every number.
        teacher (dict, optional): Config of :class:`EMATeacher`. Needed by
            objectives that use pseudo-labels. Defaults to None.
        labeller (dict, optional): Config of the :class:`PseudoLabeller`.
            Defaults to None, the labeller of the task.
        predict_on (str): ``'student'`` or ``'teacher'``: who is evaluated.
            Defaults to ``'student'``, as in MIC.
        execution (dict, optional): Activation checkpointing, memory format,
            compilation, modules in full precision; see
            :func:`configure_execution`. Defaults to None.
        data_preprocessor (dict, optional): Data preprocessor of the wrapped
            model, where its own config has none (MMEngine's runner passes a
            top-level ``data_preprocessor`` here). Defaults to None.
        init_cfg (dict, optional): Initialization config. Defaults to None.

    Raises:
        ValueError: If the objectives, or their need of a teacher, do not fit
            together.
    """

    task_scope: str
    default_labeller: dict
    teacher_defaults: dict = {}

    def __init__(self,
                 student: dict | nn.Module,
                 objectives: dict,
                 teacher: Optional[dict] = None,
                 labeller: Optional[dict] = None,
                 predict_on: str = 'student',
                 execution: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        built_student: Any = self._build_student(student, data_preprocessor)
        configure_execution(built_student, execution)
        super().__init__(
            UDADataPreprocessor(built_student.data_preprocessor), init_cfg)
        self.student = built_student
        self.objectives = build_objectives(objectives)
        for objective in self.objectives.values():
            objective.attach(self.student)
        self.labeller = TASK_UTILS.build(labeller or self.default_labeller)
        needy = pseudo_label_objectives(self.objectives)
        share_pseudo_threshold(needy, self.labeller.threshold)
        self.teacher = build_shared_teacher(teacher, needy, self.student,
                                            self.teacher_defaults)
        self.own_teachers = build_own_teachers(needy, self.student,
                                               self.teacher_defaults)
        if predict_on not in _BRANCHES:
            raise ValueError(f'model.predict_on={predict_on!r} is unknown; '
                             f'choose one of {_BRANCHES}.')
        if predict_on == 'teacher' and self.teacher is None:
            raise ValueError("model.predict_on='teacher' needs model.teacher; "
                             "add teacher=dict(type='mic_mm.EMATeacher').")
        self.predict_on = predict_on
        # Set by EMATeacherHook; a model that is stepped by hand counts
        # itself.
        self.seed = 0
        self.iteration = 0
        self.draws_of_iteration = SeededDraws
        self.record_panels = False
        self.panels: dict[str, LabelledImages] = {}
        self._register_load_state_dict_pre_hook(add_student_prefix)

    def _build_student(self, student: dict | nn.Module,
                       data_preprocessor: Optional[dict]) -> nn.Module:
        if isinstance(student, nn.Module):
            return student
        cfg = pin_scope(student, self.task_scope)
        if data_preprocessor is not None:
            cfg.setdefault('data_preprocessor', data_preprocessor)
        return MODELS.build(cfg)

    @property
    def uses_pseudo_labels(self) -> bool:
        """Whether any objective does, at any time."""
        return bool(pseudo_label_objectives(self.objectives))

    def init_weights(self) -> None:
        """Initialise as configured; pretrained weights have to fit.

        Raises:
            ValueError: If they do not.
            OSError: If they are not there, or cannot be downloaded.
        """
        check_pretrained(self.student)
        super().init_weights()

    def check_loaded(self, data: dict) -> None:
        """Refuse a batch of the loader before it leaves the host.

        A task names the file whose labels would fail somewhere in a loss.
        """

    @abstractmethod
    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict[str, Any]:
        """The student's own losses, weighted by ``loss_weight``.

        Without that field on any data sample it is ``student.loss``.
        """

    def train_step(self, data: dict,
                   optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Backward of each objective in turn, then one optimizer step.

        The graph of an objective is freed before the next one is computed,
        so the peak memory is that of the largest objective.
        """
        log_vars = train_step(self, self, data, optim_wrapper)
        self.iteration += 1
        return log_vars

    def prepare(self, data: dict) -> DomainBatch:
        """Make the batch of this iteration from preprocessed data."""
        source = data.get('source', data)
        target: Any = data.get('target')
        self._check_ready(target)
        self.panels = {}
        rank, world_size = get_dist_info()
        return DomainBatch(
            iteration=self.iteration,
            source=LabelledImages(source['inputs'], source['data_samples']),
            target=None if target is None else LabelledImages(
                target['inputs'], target['data_samples']),
            draws=self.draws_of_iteration(self.seed, self.iteration, rank,
                                          world_size),
            statistics=self.data_preprocessor.statistics,
            weighted_loss=self.weighted_loss,
            label_target=lambda teacher, threshold: self._label(
                teacher, target, threshold),
            panels=self.panels if self.record_panels else None)

    def active_objectives(self) -> dict[str, Objective]:
        """The objectives that have begun."""
        return {
            name: objective
            for name, objective in self.objectives.items()
            if self.iteration >= objective.begin
        }

    def _check_ready(self, target: Optional[dict]) -> None:
        active = self.active_objectives()
        if target is None:
            needy = [n for n, obj in active.items() if obj.needs_target]
            if needy:
                raise ValueError(
                    f'The objectives {needy} need target images, but the '
                    'batch has none. Use train_dataloader.dataset=dict('
                    "type='mic_mm.DomainPairDataset', source=..., "
                    'target=...).')
        check_initialized(self.teachers())

    def _label(self, teacher: EMATeacher, target: dict,
               threshold: Optional[float]) -> PseudoLabels:
        images = LabelledImages(target['inputs'], target['data_samples'])
        return self.labeller(teacher.model, images, threshold)

    def teachers(self) -> list[EMATeacher]:
        """The shared teacher, if any, and those of single objectives."""
        shared = [] if self.teacher is None else [self.teacher]
        return [*shared, *self.own_teachers.values()]

    def teacher_of(self, name: str) -> Optional[EMATeacher]:
        """The teacher of an objective."""
        if name in self.own_teachers:
            return self.own_teachers[name]
        return self.teacher

    def update_teachers(self) -> None:
        """Average the student into all teachers, before each step."""
        for teacher in self.teachers():
            teacher.update(self.student)

    def forward(self,
                inputs: Optional[Tensor] = None,
                data_samples: Optional[list] = None,
                mode: str = 'tensor',
                source: Optional[dict] = None,
                target: Optional[dict] = None) -> Any:
        """All losses at once, or the prediction of ``predict_on``.

        ``mode='loss'`` is for wrappers that do one forward and one backward,
        such as MMEngine's ``MMDistributedDataParallel``; :meth:`train_step`
        gives the same gradient with less memory.
        """
        if mode != 'loss':
            return self.predictor(inputs, data_samples, mode=mode)
        data: dict[str, Any] = {'inputs': inputs, 'data_samples': data_samples}
        if source is not None:
            data = {'source': source, 'target': target}
        batch = self.prepare(data)
        return {
            f'{name}.{key}': value
            for name, objective in self.active_objectives().items()
            for key, value in objective(batch, self.student,
                                        self.teacher_of(name)).items()
        }

    @property
    def predictor(self) -> nn.Module:
        """The plain model that predicts.

        Raises:
            RuntimeError: If it is a teacher that was never averaged.
        """
        if self.predict_on == 'student':
            return self.student
        assert self.teacher is not None  # see predict_on
        if not self.teacher.initialized:
            raise RuntimeError(
                "model.predict_on='teacher', but the teacher has not been "
                'trained or loaded: the checkpoint has no weights of a '
                "teacher. Use predict_on='student' or a checkpoint of "
                'mic_mm.')
        return self.teacher.model

# Copyright (c) mic_mm authors. All rights reserved.
"""The teachers that a model needs: a shared one, and those of objectives."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from mmengine.model import ModuleDict
from torch import nn

from mic_mm.registry import MODELS

from .ema_teacher import EMATeacher
from .objectives.objective import PseudoLabelObjective


def build_shared_teacher(
        cfg: Optional[dict], objectives: Mapping[str, PseudoLabelObjective],
        student: nn.Module, defaults: Mapping[str,
                                              Any]) -> Optional[EMATeacher]:
    """The teacher of all objectives that bring none.

    Args:
        cfg (dict, optional): ``model.teacher``.
        objectives (Mapping[str, PseudoLabelObjective]): Those that train on
            pseudo-labels.
        student (nn.Module): The network to average.
        defaults (Mapping): Options of teachers of this task.

    Raises:
        ValueError: If there is none, and an objective needs it.
    """
    if cfg is not None:
        return _build(cfg, student, defaults)
    needy = [
        name for name, objective in objectives.items()
        if objective.teacher_cfg is None
    ]
    if needy:
        raise ValueError(
            f'The objectives {needy} need pseudo-labels, but '
            'model.teacher is not set. Add teacher=dict('
            "type='mic_mm.EMATeacher', alpha=0.999) to the model.")
    return None


def build_own_teachers(objectives: Mapping[str, PseudoLabelObjective],
                       student: nn.Module,
                       defaults: Mapping[str, Any]) -> ModuleDict:
    """The teachers that objectives bring with them, by their name.

    Args:
        objectives (Mapping[str, PseudoLabelObjective]): See
            :func:`build_shared_teacher`.
        student (nn.Module): See there.
        defaults (Mapping): See there.
    """
    return ModuleDict({
        name: _build(objective.teacher_cfg, student, defaults)
        for name, objective in objectives.items()
        if objective.teacher_cfg is not None
    })


def check_initialized(teachers: Iterable[EMATeacher]) -> None:
    """Refuse to train with a teacher that knows nothing.

    Raises:
        RuntimeError: If one has not been copied from the student.
    """
    if not all(teacher.initialized for teacher in teachers):
        raise RuntimeError(
            'The teacher has not been copied from the student. Add '
            'default_hooks=dict(ema_teacher=dict('
            "type='mic_mm.EMATeacherHook')) to the config; in a training "
            'loop of your own call `model.update_teachers()` before each '
            'iteration.')


def _build(cfg: dict, student: nn.Module,
           defaults: Mapping[str, Any]) -> EMATeacher:
    return MODELS.build(cfg, default_args=dict(defaults, student=student))

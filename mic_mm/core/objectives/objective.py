# Copyright (c) mic_mm authors. All rights reserved.
"""The interface of a term of the training loss."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Optional, Union

from torch import nn

from ..domain_batch import DomainBatch, LabelledImages, PseudoLabels
from ..drawing import drawing_from
from ..ema_teacher import EMATeacher

SAME = 'same'


class Objective(nn.Module, ABC):
    r"""A term of the training loss, switched on by an entry in a config dict.

    A subclass implements :meth:`loss` with the losses of the plain model it
    is given; weighting and log names are added around it.  A loss has
    ``'loss'`` in its name, anything else is only logged.

    Args:
        weight (float): Factor :math:`\lambda \ge 0` of all losses of this
            objective. Defaults to 1, as all objectives of MIC use.
        begin (int): First iteration in which the objective is active, a
            warm-up for those that trust the teacher. Defaults to 0.
        exclude (Sequence[str]): Losses whose name contains one of these are
            left out, e.g. ``('bbox', )`` for the box regression of a
            detector. Defaults to ().

    Raises:
        ValueError: If ``weight`` or ``begin`` is negative, or, in the first
            iteration that has losses, ``exclude`` names none of them.

    Attributes:
        needs_target (bool): Whether it needs target images.
        in_ascent (bool): Whether it takes part in the first pass of a
            :class:`SharpnessAware` step; adversarial losses do not.
        order (int): Objectives are evaluated by it, then by name. It is 0
            for the supervised one, which others build on, 2 for masked
            images, else 1. The order in the config does not count, since
            MMEngine sorts the entries when it writes a config to a file.
    """

    needs_target = False
    in_ascent = True
    order = 1

    def __init__(self,
                 weight: float = 1.,
                 begin: int = 0,
                 exclude: Sequence[str] = ()) -> None:
        super().__init__()
        self.name = type(self).__name__
        if weight < 0:
            raise ValueError(f'{self.name}: weight={weight} is negative. To '
                             'switch an objective off, set its entry in '
                             'model.objectives to None.')
        if begin < 0:
            raise ValueError(f'{self.name}: begin={begin} is negative. Give '
                             'the first iteration of the objective, from 0.')
        if isinstance(exclude, str):
            raise TypeError(f'{self.name}: exclude={exclude!r} is a string. '
                            f'Give a list of loss names: [{exclude!r}].')
        self.weight = weight
        self.begin = begin
        self.exclude = tuple(exclude)
        self._exclude_is_checked = not self.exclude

    def attach(self, student: nn.Module) -> None:
        """Build what depends on the student; called once, before training."""

    @abstractmethod
    def loss(self, batch: DomainBatch, student: nn.Module,
             teacher: Optional[EMATeacher]) -> dict:
        """Compute the losses of this objective.

        Args:
            batch (DomainBatch): Images, labels and random draws.
            student (nn.Module): The plain model that is trained.
            teacher (EMATeacher, optional): The averaged student.

        Returns:
            dict: Loss tensors (or lists of them) and values to log.
        """

    def forward(self, batch: DomainBatch, student: nn.Module,
                teacher: Optional[EMATeacher]) -> dict:
        """Losses of :meth:`loss`, weighted, without the excluded ones."""
        with drawing_from(student, batch.draws.scoped(self.name)):
            losses = self.loss(batch, student, teacher)
        if not self._exclude_is_checked:
            self._check_exclude([name for name in losses if 'loss' in name])
        return {
            name: self._weigh(value) if 'loss' in name else value
            for name, value in losses.items() if not self._excludes(name)
        }

    def _check_exclude(self, losses: list[str]) -> None:
        """A misspelt name would leave out nothing, and say nothing."""
        unknown = [
            part for part in self.exclude
            if not any(part in name for name in losses)
        ]
        self._exclude_is_checked = bool(losses)
        if losses and unknown:
            raise ValueError(
                f'model.objectives.{self.name}.exclude={list(self.exclude)}: '
                f'no loss has {unknown} in its name; the losses are '
                f'{losses}. Correct it, or leave it out.')

    def _excludes(self, name: str) -> bool:
        return 'loss' in name and any(part in name for part in self.exclude)

    def _weigh(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._weigh(item) for item in value]
        return value if self.weight == 1 else value * self.weight


class PseudoLabelObjective(Objective):
    """An objective that trains on the teacher's labels of target images.

    Args:
        pseudo_threshold (float, optional): Confidence threshold of the
            pseudo-labels; its meaning is the labeller's. ``'same'`` shares
            the pseudo-labels of the objectives before it: the first threshold
            that one of them gives, else that of ``model.labeller``.
            Defaults to ``'same'``, which saves a pass of the teacher.
        teacher (dict, optional): Config of an :class:`EMATeacher` of its
            own, e.g. ``dict(type='mic_mm.EMATeacher', alpha=0.)``, MIC's
            ablation without averaging; with it, ``'same'`` means the
            labeller's threshold. Defaults to None, ``model.teacher``, which
            saves a network and its passes.
        **kwargs: See :class:`Objective`.

    Raises:
        ValueError: If ``pseudo_threshold`` lies outside [0, 1].
    """

    needs_target = True

    def __init__(self,
                 pseudo_threshold: Union[float, str, None] = SAME,
                 teacher: Optional[dict] = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.teacher_cfg = teacher
        if isinstance(pseudo_threshold, str):
            if pseudo_threshold != SAME:
                raise ValueError(
                    f'{self.name}: pseudo_threshold={pseudo_threshold!r} is '
                    "unknown; give a number in [0, 1], None or 'same'.")
        elif pseudo_threshold is not None and not 0 <= pseudo_threshold <= 1:
            raise ValueError(f'{self.name}: pseudo_threshold='
                             f'{pseudo_threshold} lies outside [0, 1].')
        self.pseudo_threshold = pseudo_threshold

    def pseudo_labels(self, batch: DomainBatch,
                      teacher: Optional[EMATeacher]) -> PseudoLabels:
        """The labels of the target images by this objective's teacher."""
        # The model has seen to a teacher and a threshold.
        return batch.pseudo_labels(
            teacher, self.pseudo_threshold)  # type: ignore[arg-type]

    def pseudo_labelled_target(self, batch: DomainBatch,
                               teacher: Optional[EMATeacher]) -> LabelledImages:
        """The target images with :meth:`pseudo_labels`."""
        assert batch.target is not None  # see needs_target
        return LabelledImages(batch.target.inputs,
                              self.pseudo_labels(batch, teacher).data_samples)

# Copyright (c) mic_mm authors. All rights reserved.
"""Adversarial alignment of what the student predicts in both domains."""
from __future__ import annotations

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from mic_mm.core import Objective
from mic_mm.registry import MODELS

from .seg_source_supervision import SOURCE_LOGITS
from .target_logits import target_logits

SOURCE, TARGET = 0., 1.
_CRITERIA = {
    'least_squares': F.mse_loss,
    'vanilla': F.binary_cross_entropy_with_logits
}


@MODELS.register_module()
class OutputSpaceAlignment(Objective):
    r"""Makes target predictions look like source predictions to a network.

    With the discriminator :math:`D`, softmax predictions :math:`p` and the
    labels 0 for the source and 1 for the target,

    .. math::
        L_{student} &= \lambda\, \ell(D(p_T), 0) \\
        L_D &= \tfrac12 \ell(D(p_S), 0) + \tfrac12 \ell(D(p_T), 1)

    where the first reaches the student alone and the second the discriminator
    alone (AdaptSegNet, Tsai et al. 2018, eq. 2 to 4; the least-squares
    variant after Mao et al. 2017).

    It uses the logits kept by
    ``source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True)``, and
    the discriminator usually has an optimizer of its own
    (``optim_wrapper.objectives``, see
    :class:`mic_mm.UDAOptimWrapperConstructor`).

    Args:
        criterion (str): :math:`\ell`: ``'least_squares'`` or ``'vanilla'``,
            binary cross-entropy. Defaults to ``'vanilla'``, AdaptSegNet's.
        student_weight (float): :math:`\lambda`. Defaults to 0.001, as in
            AdaptSegNet.
        discriminator (dict, optional): Config of the discriminator. Defaults
            to None, ``dict(type='mic_mm.PixelDiscriminator')`` for the
            student's number of classes.
        **kwargs: See :class:`Objective`.

    Raises:
        ValueError: If ``criterion`` is unknown or ``student_weight`` is
            negative.
    """

    needs_target = True

    def __init__(self,
                 criterion: str = 'vanilla',
                 student_weight: float = 1e-3,
                 discriminator: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if criterion not in _CRITERIA:
            raise ValueError(
                f'OutputSpaceAlignment: criterion={criterion!r} is unknown; '
                f'choose one of {tuple(_CRITERIA)}.')
        if student_weight < 0:
            raise ValueError('OutputSpaceAlignment: student_weight='
                             f'{student_weight} is negative.')
        self.criterion = criterion
        self.student_weight = student_weight
        self.discriminator_cfg = dict(discriminator or {})

    def attach(self, student) -> None:
        self.discriminator = MODELS.build(
            dict(
                dict(
                    type='mic_mm.PixelDiscriminator',
                    in_channels=student.out_channels),
                **self.discriminator_cfg))

    def loss(self, batch, student, teacher):
        if SOURCE_LOGITS not in batch.cache:
            raise ValueError(
                f'model.objectives.{self.name} needs the source logits. '
                "Add source=dict(type='mic_mm.SegSourceSupervision', "
                'keep_logits=True) to model.objectives.')
        source = batch.cache[SOURCE_LOGITS].softmax(dim=1)
        target = target_logits(batch, student).softmax(dim=1)
        return dict(
            loss_student=self.student_weight *
            self._compare(self._judge_frozen(target), SOURCE),
            loss_discriminator_source=self._compare(
                self.discriminator(source), SOURCE) / 2,
            loss_discriminator_target=self._compare(
                self.discriminator(target.detach()), TARGET) / 2)

    def _judge_frozen(self, probabilities: Tensor) -> Tensor:
        frozen = {
            name: parameter.detach()
            for name, parameter in self.discriminator.named_parameters()
        }
        return functional_call(self.discriminator, frozen, (probabilities, ))

    def _compare(self, logits: Tensor, domain: float) -> Tensor:
        return _CRITERIA[self.criterion](logits.float(),
                                         torch.full_like(
                                             logits, domain).float())

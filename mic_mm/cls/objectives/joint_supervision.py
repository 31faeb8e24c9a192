# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmengine.model import ModuleDict
from torch import Tensor, nn

from mic_mm.core import DomainBatch, Objective
from mic_mm.registry import MODELS

from ..student_checks import check_labels_are_not_mixed, check_separable_head
from .domain_term import DomainOutputs, DomainTerm

_SOURCE = 'source'


@MODELS.register_module()
class JointSupervision(Objective):
    """Source supervision and losses that compare the domains, in one pass.

    The images of both domains go through the student as *one* batch, so that
    batch norm normalises them together (CDAN, SDAT, MIC).  On the source half
    it takes the loss of the student's head; on the features (the input of the
    head's last layer) and logits of both halves, each of its ``terms``.  It
    takes the place of :class:`mic_mm.SourceSupervision`:

    .. code-block:: python

        objectives = dict(
            joint=dict(
                type='mic_mm.JointSupervision',
                terms=dict(
                    mcc=dict(
                        type='mic_mm.MinimumClassConfusion', temperature=2.),
                    cdan=dict(
                        type='mic_mm.ConditionalAdversarial',
                        num_classes=12,
                        feature_dim=256))))

    It logs ``joint.source.loss``, ``joint.mcc.loss``, ``joint.cdan.loss`` and
    ``joint.cdan.domain_accuracy``.  Terms are computed in float32, also in
    mixed precision.

    Args:
        terms (dict, optional): :class:`DomainTerm` by name. An entry that is
            None is switched off. Defaults to None, no terms: source
            supervision with the statistics of both domains.
        **kwargs: See :class:`mic_mm.core.Objective`.

    Raises:
        TypeError: If an entry is no :class:`DomainTerm`, or the student's
            head has no last layer.
        ValueError: If a term has a name that cannot be logged.
    """

    needs_target = True
    order = 0

    def __init__(self, terms: Optional[dict] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.terms = _build_terms(terms or {})

    def attach(self, student: nn.Module) -> None:
        """Refuse a student whose features and logits cannot be had."""
        check_separable_head(student)
        check_labels_are_not_mixed(student)

    def loss(self, batch, student, teacher):
        batch.record('source', batch.source)
        batch.record('target', batch.target)
        count = len(batch.source)
        features, logits = _forward(
            student, torch.cat([batch.source.inputs, batch.target.inputs]))
        losses = student.head._get_loss(logits[:count],
                                        batch.source.data_samples)
        losses = {f'{_SOURCE}.{key}': val for key, val in losses.items()}
        losses.update(self._term_losses(batch, features, logits))
        return losses

    def _term_losses(self, batch: DomainBatch, features: Tensor,
                     logits: Tensor) -> dict[str, Tensor]:
        count = len(batch.source)
        losses = {}
        with torch.autocast(features.device.type, enabled=False):
            features, logits = features.float(), logits.float()
            outputs = DomainOutputs(features[:count], logits[:count],
                                    features[count:], logits[count:])
            for name, term in self.terms.items():
                if batch.is_ascent and not term.in_ascent:
                    continue
                for key, value in term(outputs).items():
                    losses[f'{name}.{key}'] = value
        return losses


def _forward(student: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    head = student.head
    features = head.pre_logits(student.extract_feat(images))
    if features.dim() != 2:
        raise ValueError(
            'mic_mm.JointSupervision needs a vector of features for each '
            f'image, but the neck gives {tuple(features.shape)}. Pool the '
            "feature map: neck=dict(type='LinearNeck', gap_dim=2, ...) or "
            "neck=dict(type='GlobalAveragePooling').")
    return features, head.fc(features)


def _build_terms(terms: dict) -> ModuleDict:
    built = ModuleDict({
        name: MODELS.build(cfg)
        for name, cfg in terms.items() if cfg is not None
    })
    for name, term in built.items():
        if not isinstance(term, DomainTerm):
            raise TypeError(
                f'JointSupervision: terms.{name} is a {type(term).__name__}, '
                'which is no DomainTerm. Use e.g. '
                "dict(type='mic_mm.MinimumClassConfusion').")
        if name == _SOURCE or 'loss' in name:
            raise ValueError(
                f'JointSupervision: a term cannot be named {name!r}. '
                f"{_SOURCE!r} is the source's own loss, and MMEngine sums "
                "everything logged under a name with 'loss' in it.")
    return built

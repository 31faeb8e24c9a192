# Copyright (c) mic_mm authors. All rights reserved.
"""What the objectives of one training iteration work on."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmengine.structures import PixelData
from torch import Tensor, nn

from .draws import RandomDraws
from .pixel_statistics import PixelStatistics

if TYPE_CHECKING:
    from .ema_teacher import EMATeacher


@dataclass(frozen=True)
class LabelledImages:
    """Preprocessed images and one data sample for each.

    Whether the data samples carry ground truth, pseudo-labels or nothing
    depends on where they come from.  A data sample with the field
    ``loss_weight`` weights its own loss (a pixel map or a scalar).

    Attributes:
        inputs (Tensor): Normalised images, (B, C, H, W).
        data_samples (list): B data samples of the task's library.
    """

    inputs: Tensor
    data_samples: list

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class PseudoLabels:
    """The teacher's labels of the target images.

    Attributes:
        data_samples (list): One data sample per image, the prediction in the
            place of the ground truth, with ``loss_weight`` where the task
            weights it.
        metrics (dict): 0-dim tensors to log, e.g. the mean confidence.
    """

    data_samples: list
    metrics: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class DomainBatch:
    """Source and target images of one iteration, and what is known of them.

    Attributes:
        iteration (int): Index of the training iteration, from 0.
        source (LabelledImages): Source images with ground truth.
        target (LabelledImages, optional): Target images without.
        draws (RandomDraws): The random numbers of this iteration.
        statistics (PixelStatistics): How the images were normalised.
        weighted_loss (Callable): ``weighted_loss(student, images)`` gives
            the student's own losses, weighted by ``loss_weight``.
        label_target (Callable): ``label_target(teacher, threshold)`` gives
            a teacher's labels of the target images.
        panels (dict, optional): Images recorded for visualization; None when
            this iteration is not drawn.
        cache (dict): What an objective leaves for a later one, detached.
        is_ascent (bool): Whether this is the first of two passes over the
            objectives, which looks for a perturbation of the weights (see
            :class:`SharpnessAware`).
        unit_weights (bool): Whether pseudo-labels count with weight 1 in
            the place of a positive ``loss_weight``.
    """

    iteration: int
    source: LabelledImages
    target: LabelledImages | None
    draws: RandomDraws
    statistics: PixelStatistics
    weighted_loss: Callable[[nn.Module, LabelledImages], dict]
    label_target: Callable[[EMATeacher, float | None], PseudoLabels]
    panels: dict[str, LabelledImages] | None = None
    cache: dict[str, Any] = field(default_factory=dict, repr=False)
    is_ascent: bool = False
    unit_weights: bool = False
    _pseudo_labels: dict[tuple, PseudoLabels] = field(
        default_factory=dict, repr=False)

    def pseudo_labels(self, teacher: EMATeacher,
                      threshold: float | None) -> PseudoLabels:
        """A teacher's labels at a confidence threshold.

        They are computed when first asked for and shared between objectives
        with the same teacher and threshold.
        """
        key = (id(teacher), threshold)
        if key not in self._pseudo_labels:
            self._pseudo_labels[key] = self.label_target(teacher, threshold)
        labels = self._pseudo_labels[key]
        return _with_unit_weights(labels) if self.unit_weights else labels

    def record(self, name: str, images: LabelledImages) -> None:
        """Keep ``images`` for visualization, if this iteration is drawn.

        Unit weights do not replace the teacher's of an earlier pass.
        """
        if self.panels is not None and not (self.unit_weights
                                            and name in self.panels):
            self.panels[name] = images


def _with_unit_weights(labels: PseudoLabels) -> PseudoLabels:
    samples = [sample.new() for sample in labels.data_samples]
    for sample in samples:
        if 'loss_weight' in sample:
            sample.set_field(_unit_weight(sample.loss_weight), 'loss_weight')
    return PseudoLabels(samples, labels.metrics)


def _unit_weight(weight: Any) -> Any:
    if isinstance(weight, PixelData):
        return PixelData(data=_unit_weight(weight.data))
    if isinstance(weight, Tensor):
        return (weight > 0).to(weight)
    return float(weight > 0)

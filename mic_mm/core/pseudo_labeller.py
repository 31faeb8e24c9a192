# Copyright (c) mic_mm authors. All rights reserved.
"""The interface by which a teacher's prediction becomes data samples."""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from .domain_batch import LabelledImages, PseudoLabels


class PseudoLabeller(ABC):
    """Turns predictions of the teacher into data samples to train on.

    It is what differs between the tasks; self-training and masked image
    consistency are the same for all of them.

    Args:
        threshold (float, optional): Confidence threshold in [0, 1] for
            objectives that do not give their own.

    Raises:
        ValueError: If ``threshold`` lies outside [0, 1].
    """

    def __init__(self, threshold: float | None) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f'model.labeller.threshold={threshold} lies '
                             'outside [0, 1].')
        self.threshold = threshold

    def __call__(self, teacher: nn.Module, images: LabelledImages,
                 threshold: float | None) -> PseudoLabels:
        """Label ``images``.

        The teacher runs in inference mode, without the bookkeeping of
        autograd.  What it returns must not enter a loss itself, since
        autograd refuses to save such tensors; what :meth:`label` computes
        from it may.

        Args:
            teacher (nn.Module): The averaged plain model, in its labelling
                mode.
            images (LabelledImages): Target images; their data samples carry
                meta information only.
            threshold (float, optional): Confidence threshold.
        """
        with torch.inference_mode():
            prediction = self.predict(teacher, images)
        with torch.no_grad():
            return self.label(prediction, images, threshold)

    @abstractmethod
    def predict(self, teacher: nn.Module, images: LabelledImages) -> Any:
        """The pass of the network: what the teacher says of ``images``."""

    @abstractmethod
    def label(self, prediction: Any, images: LabelledImages,
              threshold: float | None) -> PseudoLabels:
        """Turn a prediction into data samples to train on.

        Tensors of ``prediction`` that are kept as they are have to be cloned.
        """

# Copyright (c) mic_mm authors. All rights reserved.
"""The interface by which a teacher's prediction becomes data samples."""
from __future__ import annotations

from abc import ABC, abstractmethod

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

    @abstractmethod
    def __call__(self, teacher: nn.Module, images: LabelledImages,
                 threshold: float | None) -> PseudoLabels:
        """Label ``images``.

        Called without gradient, with the teacher in its labelling mode.

        Args:
            teacher (nn.Module): The averaged plain model.
            images (LabelledImages): Target images; their data samples carry
                meta information only.
            threshold (float, optional): Confidence threshold.
        """

# Copyright (c) mic_mm authors. All rights reserved.
"""Training steps whose gradient is taken at perturbed weights."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from torch import Tensor, nn


class SharpnessAware(ABC):
    """An optimizer wrapper that asks for two passes over the objectives.

    The training step calls :meth:`ascended` with a function that computes
    the gradient of the first pass, and does the second pass within the
    context.

    Attributes:
        unit_weights (bool): Whether the pseudo-labels of the second pass
            count with weight 1 instead of their confidence.
    """

    unit_weights: bool

    @abstractmethod
    def ascended(
        self, student: Sequence[nn.Parameter], others: Sequence[nn.Parameter],
        first_pass: Callable[[], None]
    ) -> AbstractContextManager[dict[str, Tensor]]:
        """A context in which the student's weights are perturbed.

        Before and after it, weights and gradients are what they were, but
        for the gradients that are added within the context.

        Args:
            student (Sequence[nn.Parameter]): The parameters to perturb.
            others (Sequence[nn.Parameter]): Further trained parameters.
            first_pass (Callable): Adds the gradients of the first pass,
                averaged over the ranks, to those of all parameters.

        Returns:
            AbstractContextManager: Gives values to log.
        """

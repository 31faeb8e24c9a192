# Copyright (c) mic_mm authors. All rights reserved.
"""Looks at what a stock segmentor computes on the way to its losses."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Optional

from torch import Tensor, nn


class BackboneCall(NamedTuple):
    """A call of the backbone.

    Attributes:
        inputs (Tensor): Images, (B, C, H, W).
        features (tuple[Tensor]): The stages' outputs.
    """

    inputs: Tensor
    features: tuple[Tensor, ...]


def stages(outputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The outputs of a backbone with one stage or several."""
    return (outputs, ) if isinstance(outputs, Tensor) else tuple(outputs)


@contextmanager
def observed_backbone(segmentor: nn.Module) -> Iterator[list[BackboneCall]]:
    """List the calls of ``segmentor.backbone`` inside the context."""
    calls: list[BackboneCall] = []

    def observe(module, args, outputs) -> None:
        calls.append(BackboneCall(args[0], stages(outputs)))

    handle = segmentor.backbone.register_forward_hook(observe)
    try:
        yield calls
    finally:
        handle.remove()


class LogitKeeper:
    """A pixel sampler that keeps the logits it is shown, and no weights.

    MMSegmentation's heads show ``head.sampler`` their logits in label size.

    Attributes:
        logits (Tensor, optional): (B, C, H, W), detached.
    """

    def __init__(self) -> None:
        self.logits: Optional[Tensor] = None

    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> None:
        """Keep ``seg_logit``."""
        self.logits = seg_logit.detach()

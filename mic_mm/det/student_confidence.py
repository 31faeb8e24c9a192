# Copyright (c) mic_mm authors. All rights reserved.
"""Losses on pseudo-boxes, weighted by how sure the student is."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from mic_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class StudentConfidence:
    r"""Weights classification losses by the student's own confidence.

    A sample (an anchor, a place, a query or a region) with logits :math:`z`
    counts

    .. math:: q = \max_c p_c(z)

    with :math:`p` the softmax, background included, or the sigmoid, as the
    head uses; for an RPN this is :math:`\sigma(z)`.  MIC weights pseudo-boxes
    so in detection, where the teacher's score only decides which boxes are
    kept.  It is for the stock heads of MMDetection; heads of mic_mm
    (``mic_mm.SADARPNHead``, ``mic_mm.SADARoIHead``) weight by themselves and
    are left alone.

    Args:
        detach_rpn_weight (bool): Whether the weight of an RPN is a constant.
            If not, the gradient of a positive anchor pushes its objectness
            *down* where :math:`\sigma(z) < 1/e`. Defaults to False, as
            published; True is the sound choice. The weights of all other
            heads are constants always.
    """

    def __init__(self, detach_rpn_weight: bool = False) -> None:
        self.detach_rpn_weight = detach_rpn_weight

    @contextmanager
    def __call__(self, detector: nn.Module) -> Iterator[None]:
        """Weight the losses that are computed inside of the context.

        Raises:
            TypeError: If no head of ``detector`` has a ``loss_cls``.
        """
        heads = _heads_with_loss(detector)
        if not heads:
            raise TypeError(
                'model.pseudo_weight: no head of '
                f'{type(detector).__name__} has a loss_cls to weight. Set '
                'model.pseudo_weight=None.')
        with ExitStack() as stack:
            for name, head in heads.items():
                if hasattr(head, 'pseudo_weight'):
                    continue
                detach = self.detach_rpn_weight or name != 'rpn_head'
                handle = head.loss_cls.register_forward_pre_hook(
                    _weighting(detach), with_kwargs=True)
                stack.callback(handle.remove)
            yield


def _heads_with_loss(detector: nn.Module) -> dict[str, nn.Module]:
    return {
        name: head
        for name, head in detector.named_modules()
        if isinstance(getattr(head, 'loss_cls', None), nn.Module)
    }


def _weighting(detach: bool):

    def add_weight(loss: nn.Module, args: Sequence, kwargs: dict):
        args, kwargs = list(args), dict(kwargs)
        logits = args[0].detach() if detach else args[0]
        confidence = _confidence(logits, loss)
        target = args[1] if len(args) > 1 else kwargs.get('target')
        given = args[2] if len(args) > 2 else kwargs.get('weight')
        if given is None:
            # Losses with a target for each class weight each class.
            per_class = getattr(target, 'shape', None) == logits.shape
            given = torch.ones_like(logits if per_class else confidence)
        weight = _times(given, confidence)
        if len(args) > 2:
            args[2] = weight
        else:
            kwargs['weight'] = weight
        return tuple(args), kwargs

    return add_weight


def _confidence(logits: Tensor, loss: nn.Module) -> Tensor:
    """Largest probability of each sample, (N, )."""
    logits = logits.float()
    if getattr(loss, 'use_sigmoid', False):
        probabilities = torch.sigmoid(logits)
    else:
        probabilities = logits.softmax(dim=-1)
    return probabilities.flatten(1).amax(1) if logits.dim() > 1 \
        else probabilities


def _times(weight: Tensor, confidence: Tensor) -> Tensor:
    shape = (-1, ) + (1, ) * (weight.dim() - 1)
    return weight * confidence.view(shape)

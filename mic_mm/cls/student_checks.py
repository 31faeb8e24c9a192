# Copyright (c) mic_mm authors. All rights reserved.
"""What a classifier and its batches have to be like."""
from __future__ import annotations

from mmpretrain.models import ClsHead
from torch import Tensor, nn


def check_weightable_loss(student: nn.Module) -> None:
    """Refuse a classifier whose loss takes no weights.

    Raises:
        TypeError: If its head is no ``ClsHead``.
    """
    head = getattr(student, 'head', None)
    if not isinstance(head, ClsHead):
        raise TypeError(
            f'The head {type(head).__name__} is no mmpretrain ClsHead, so '
            'its loss cannot be weighted by the confidence of '
            'pseudo-labels. Use e.g. LinearClsHead.')


def check_labels_are_not_mixed(student: nn.Module) -> None:
    """Refuse batch augmentations such as Mixup and CutMix.

    Raises:
        ValueError: If there are any.
    """
    if getattr(student.data_preprocessor, 'batch_augments', None):
        raise ValueError(
            'data_preprocessor.batch_augments mixes labels, which target '
            'images do not have. Remove it (and train_cfg.augments).')


def check_separable_head(student: nn.Module) -> None:
    """Refuse a classifier whose features and logits cannot be had at once.

    Raises:
        TypeError: If its head is no ``ClsHead`` with a last layer ``fc``, or
            has a loss of its own.
    """
    head = getattr(student, 'head', None)
    if (not isinstance(head, ClsHead) or not hasattr(head, 'fc')
            or type(head).loss is not ClsHead.loss):
        raise TypeError(
            'mic_mm.JointSupervision needs a classifier whose head is a '
            'ClsHead with a last layer `fc` and the loss of ClsHead, but '
            f'the head is a {type(head).__name__}. Use head=dict('
            "type='LinearClsHead', ...); hidden layers go to the neck, "
            "e.g. neck=dict(type='LinearNeck', ...).")


def check_batch_statistics(network: nn.Module, images: Tensor) -> None:
    """Refuse a batch of one image where vectors are batch-normalised.

    Raises:
        ValueError: If ``network`` has a ``BatchNorm1d`` in train mode and
            there is one image.
    """
    if len(images) > 1:
        return
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm1d) and module.training:
            raise ValueError(
                f'The batch norm {name!r} of the classifier cannot normalise '
                'over a batch of one image. Set train_dataloader.batch_size '
                'to at least 2, or the norm_cfg of the neck to None.')

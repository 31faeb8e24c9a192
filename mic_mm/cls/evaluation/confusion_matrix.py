# Copyright (c) mic_mm authors. All rights reserved.
"""Counts of true and predicted classes, and what follows from them."""
from __future__ import annotations

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor,
                     num_classes: int) -> Tensor:
    """Count how often each class is predicted as each class.

    Args:
        labels (Tensor): True classes, (N,), integers. Images whose label
            lies outside of [0, C) are left out.
        predictions (Tensor): Predicted classes, (N,), integers in [0, C).
        num_classes (int): C.

    Returns:
        Tensor: (C, C), int64; rows are true classes, columns predictions.
    """
    labels, predictions = labels.long(), predictions.long()
    known = (labels >= 0) & (labels < num_classes)
    cells = labels[known] * num_classes + predictions[known]
    counts = torch.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def class_recalls(matrix: Tensor) -> Tensor:
    """Share of each class's images that are recognised.

    Args:
        matrix (Tensor): Confusion matrix, (C, C).

    Returns:
        Tensor: (C,), in [0, 1]; NaN for a class without images.
    """
    matrix = matrix.float()
    return matrix.diagonal() / matrix.sum(dim=1)


def class_ious(matrix: Tensor) -> Tensor:
    r"""Intersection over union of each class's images and predictions.

    .. math::
        \mathrm{IoU}_c = \frac{m_{cc}}{\sum_j m_{cj} + \sum_i m_{ic} - m_{cc}}

    Args:
        matrix (Tensor): Confusion matrix, (C, C).

    Returns:
        Tensor: (C,), in [0, 1]; NaN for a class that neither exists nor is
        predicted.
    """
    matrix = matrix.float()
    hits = matrix.diagonal()
    return hits / (matrix.sum(dim=1) + matrix.sum(dim=0) - hits)

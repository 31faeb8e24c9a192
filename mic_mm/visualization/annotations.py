# Copyright (c) mic_mm authors. All rights reserved.
"""What a data sample says, in a form that can be drawn.

The fields decide, not the class: ``gt_sem_seg`` (a map of classes),
``gt_label`` (classes of the image), ``gt_instances`` (boxes) and
``loss_weight`` (a number, or a map).  So no task library is needed.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch

from .palette import Color
from .tiles import Box

# Pixels that no loss counts have it in all three libraries.
_IGNORED_INDEX = 255


def label_map(sample: Any) -> Optional[np.ndarray]:
    """Class indices of the pixels, (H, W)."""
    return _pixel_map(sample, 'gt_sem_seg')


def weight_map(sample: Any) -> Optional[np.ndarray]:
    """Loss weights of the pixels, (H, W)."""
    return _pixel_map(sample, 'loss_weight')


def _pixel_map(sample: Any, field: str) -> Optional[np.ndarray]:
    data = getattr(sample.get(field), 'data', None)
    if not isinstance(data, torch.Tensor) or data.dim() < 2:
        return None
    return data.detach().cpu().numpy().reshape(data.shape[-2:])


def weight_number(sample: Any) -> Optional[float]:
    """The one loss weight of the image."""
    weight = sample.get('loss_weight')
    is_number = isinstance(weight, (int, float)) or (
        isinstance(weight, torch.Tensor) and weight.numel() == 1)
    return float(weight) if is_number else None


def boxes(sample: Any,
          classes: Sequence[str],
          colors: Sequence[Color],
          field: str = 'gt_instances',
          min_score: float = 0.) -> list[Box]:
    """The boxes of the image.

    Args:
        sample (BaseDataElement): The data sample.
        classes (Sequence[str]): Names of the classes.
        colors (Sequence): RGB of the classes.
        field (str): ``'gt_instances'`` or ``'pred_instances'``, whose boxes
            have their score in the text. Defaults to ``'gt_instances'``.
        min_score (float): Boxes below it are left out. Defaults to 0.
    """
    instances = sample.get(field)
    if instances is None:
        return []
    corners = getattr(instances.bboxes, 'tensor', instances.bboxes).tolist()
    names = [class_name(i, classes) for i in instances.labels.tolist()]
    scores = [None] * len(names)
    if 'scores' in instances:
        scores = instances.scores.tolist()
    return [
        Box(box, name if score is None else f'{name} {score:.2f}',
            colors[label % len(colors)]) for box, name, score, label in zip(
                corners, names, scores, instances.labels.tolist())
        if score is None or score >= min_score
    ]


def caption(sample: Any, classes: Sequence[str]) -> str:
    """Class and weight of the whole image, in a line."""
    parts = []
    if sample.get('gt_label') is not None:
        labels = torch.as_tensor(sample.gt_label).flatten().tolist()
        parts.append(', '.join(class_name(i, classes) for i in labels))
    weight = weight_number(sample)
    if weight is not None:
        parts.append(f'weight {weight:.2f}')
    return ', '.join(parts)


def class_name(index: int, classes: Sequence[str]) -> str:
    """Name of a class, or its index where there is none."""
    return str(classes[index]) if 0 <= index < len(classes) else str(index)


def file_name(sample: Any) -> str:
    """Path of the image; empty if the sample does not know it."""
    return str(sample.get('img_path') or '')


def classes_in(sample: Any, classes: Sequence[str]) -> list[str]:
    """Names of the classes that occur in the image, by index."""
    found: set[int] = set()
    pixels = label_map(sample)
    if pixels is not None:
        found.update(np.unique(pixels).tolist())
    if sample.get('gt_label') is not None:
        found.update(torch.as_tensor(sample.gt_label).flatten().tolist())
    if sample.get('gt_instances') is not None:
        found.update(sample.gt_instances.labels.tolist())
    known = [i for i in sorted(found) if 0 <= i and i != _IGNORED_INDEX]
    return [class_name(i, classes) for i in known]

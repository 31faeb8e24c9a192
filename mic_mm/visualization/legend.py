# Copyright (c) mic_mm authors. All rights reserved.
"""What the colours of panels mean."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics

from . import annotations as fields
from .palette import IGNORED, Color, heat_map
from .tiles import to_pixels

if TYPE_CHECKING:
    from .panels import PanelStyle

Legend = list[tuple[str, Color]]

# With more classes only those that occur are named, or the legend would be
# larger than the pictures.
_ALL_CLASSES = 40


def legend(panels: dict[str, LabelledImages], statistics: PixelStatistics,
           style: PanelStyle) -> Legend:
    """Name and colour of classes, ignored and hidden pixels, and weights.

    An entry is there if the panels can contain it: classes with a map of
    them or with boxes, ignored pixels where there are some, hidden pixels
    with masked images, weights with a map of them.

    Args:
        panels (dict): What was recorded, by name.
        statistics (PixelStatistics): How the images were normalised.
        style (PanelStyle): How they are drawn.
    """
    samples = [
        sample for images in panels.values()
        for sample in images.data_samples[:style.max_images]
    ]
    maps = [m for m in map(fields.label_map, samples) if m is not None]
    boxes = [s.gt_instances.labels.cpu().numpy() for s in samples
             if s.get('gt_instances') is not None]
    entries = _classes(maps + boxes, style)
    if 'masked' in panels:
        zero = torch.zeros(len(statistics.mean), 1, 1)
        color = to_pixels(zero, statistics)[0, 0]
        entries.append(('hidden by the mask', tuple(color.tolist())))
    if any(fields.weight_map(s) is not None for s in samples):
        stops = np.array([[0., .5, 1.]])
        entries += [
            (f'weight {stop:g}', tuple(color.tolist()))
            for stop, color in zip(stops[0], heat_map(stops)[0])
        ]
    return entries


def _classes(labels: list[np.ndarray], style: PanelStyle) -> Legend:
    if not labels:
        return []
    found = np.unique(np.concatenate([np.unique(array) for array in labels]))
    count = len(style.classes)
    shown = range(count)
    if count > _ALL_CLASSES:
        shown = found[(found >= 0) & (found < count)].tolist()
    entries = [(str(style.classes[i]), style.colors[i]) for i in shown]
    is_known = (found >= 0) & (found < len(style.colors))
    if not is_known.all():
        entries.append(('ignored', IGNORED))
    return entries

# Copyright (c) mic_mm authors. All rights reserved.
"""To which size a pipeline brings an image, read from its config."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import mmcv
import numpy as np

Size = tuple[int, int]


def kind_of(step: Mapping) -> str:
    """The name of a transform without its library."""
    kind = step.get('type')
    return getattr(kind, '__name__', str(kind)).split('.')[-1]


def first_resizing(pipeline: Sequence[Mapping]) -> Optional[Mapping]:
    """The first transform that resizes, or None.

    What follows costs more than is needed: a pipeline that crops can do so
    without a second resizing.  Of random branches the first counts.
    """
    for step in pipeline:
        if kind_of(step) == 'RandomChoice':
            step = first_resizing(step['transforms'][0]) or step
        if kind_of(step) in _RESIZING:
            return step
    return None


def size_after(step: Mapping, size: Size) -> Size:
    """The size of an image behind a transform that resizes it.

    Args:
        step (Mapping): The transform. Of a random size the middle one counts.
        size (tuple[int, int]): Width and height before.

    Returns:
        tuple[int, int]: Width and height.
    """
    return _RESIZING[kind_of(step)](step, size)


def _resize(step: Mapping, size: Size) -> Size:
    if step.get('scale') is None:
        factor = step.get('scale_factor', 1.)
        across, down = (factor, factor) if np.isscalar(factor) else factor
        return int(size[0] * across + 0.5), int(size[1] * down + 0.5)
    return _to_scale(step, step['scale'], size)


def _to_scale(step: Mapping, scale: Any, size: Size) -> Size:
    if step.get('keep_ratio'):
        return mmcv.rescale_size(size, _pair(scale))
    return _pair(scale)


def _random_resize(step: Mapping, size: Size) -> Size:
    """Within ``ratio_range`` of a scale, or between two."""
    scale = np.asarray(step['scale'], dtype=float)
    if scale.ndim == 2:
        scale = scale.mean(0)
    else:
        scale = scale * np.mean(step.get('ratio_range') or 1.)
    return _to_scale(step, scale.round().astype(int), size)


def _random_choice_resize(step: Mapping, size: Size) -> Size:
    scales = sorted((_pair(scale) for scale in step['scales']), key=np.prod)
    return _to_scale(step, scales[len(scales) // 2], size)


def _resize_edge(step: Mapping, size: Size) -> Size:
    edge = step.get('edge', 'short')
    reference = dict(
        short=min(size), long=max(size), width=size[0], height=size[1])[edge]
    factor = step['scale'] / reference
    return int(size[0] * factor), int(size[1] * factor)


def _resized_crop(step: Mapping, size: Size) -> Size:
    return _pair(step['scale'])


def _pair(scale: Any) -> Size:
    """Width and height; one number is the side of a square."""
    if np.isscalar(scale):
        return int(scale), int(scale)
    return int(scale[0]), int(scale[1])


_RESIZING: dict[str, Callable[[Mapping, Size], Size]] = dict(
    Resize=_resize,
    RandomResize=_random_resize,
    RandomChoiceResize=_random_choice_resize,
    ResizeEdge=_resize_edge,
    RandomResizedCrop=_resized_crop,
    EfficientNetRandomCrop=_resized_crop)

# Copyright (c) mic_mm authors. All rights reserved.
"""Overlapping windows: where they lie, running a network on them, merging."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Optional, TypeVar

import torch
from torch import Tensor, nn

from .box import Box, Size

# A map or the maps of several stages, the batch first.
Maps = TypeVar('Maps', Tensor, Sequence[Tensor])


def window_boxes(image: Size, window: Size, stride: Size) -> list[Box]:
    """Windows that cover an image, row by row.

    The last window of a row or column is moved back to end at the border; in
    an image smaller than the window, the window is the image.

    Raises:
        ValueError: If the stride is not positive or larger than the window,
            which would leave pixels out.
    """
    if any(not 0 < step <= side for step, side in zip(stride, window)):
        raise ValueError(
            f'Windows of {tuple(window)} pixels with stride {tuple(stride)} '
            'do not cover an image. Use a stride of at most the window.')
    rows, columns = (
        _intervals(*axis) for axis in zip(image, window, stride))
    return [Box(*row, *column) for row in rows for column in columns]


def _intervals(side: int, window: int, stride: int) -> list[tuple[int, int]]:
    number = max(side - window + stride - 1, 0) // stride + 1
    ends = [min(index * stride + window, side) for index in range(number)]
    return [(max(end - window, 0), end) for end in ends]


def merge_windows(windows: Tensor, boxes: Sequence[Box],
                  size: Size) -> Tensor:
    r"""The mean of the windows at each cell; 0 where there is none.

    Args:
        windows (Tensor): (len(boxes) * B, C, h, w), all images of the first
            window first.
        boxes (Sequence[Box]): Where they lie in the map.
        size (tuple[int, int]): Height and width of the map.

    Returns:
        Tensor: (B, C, \*size).
    """
    batch = len(windows) // len(boxes)
    total = windows.new_zeros((batch, windows.shape[1], *size))
    count = windows.new_zeros((1, 1, *size))
    for box, window in zip(boxes, windows.split(batch)):
        box.crop(total).add_(window)
        box.crop(count).add_(1)
    return total / count.clamp_(min=1)


def in_chunks(network: Callable, maps: Maps, size: Optional[int]) -> Maps:
    """Run a network on ``size`` images at a time.

    The result equals one pass; less memory is needed.  A network that
    normalises by the statistics of its batch is run in one pass, since its
    result depends on what is in the batch.

    Args:
        network (Callable): Takes a map or the maps of several stages.
        maps (Tensor | Sequence[Tensor]): Its input.
        size (int, optional): None means all images at once.
    """
    if size is None or (isinstance(network, nn.Module)
                        and uses_batch_statistics(network)):
        return network(maps)
    if isinstance(maps, Tensor):
        chunks = list(maps.split(size))
    else:
        chunks = list(zip(*(stage.split(size) for stage in maps)))
    outputs = [network(chunk) for chunk in chunks]
    if isinstance(outputs[0], Tensor):
        return torch.cat(outputs)
    return [torch.cat(stage) for stage in zip(*outputs)]


def uses_batch_statistics(network: nn.Module) -> bool:
    """Whether a batch norm in ``network`` normalises by its batch."""
    return any(
        isinstance(module, nn.modules.batchnorm._BatchNorm) and
        (module.training or module.running_mean is None)
        for module in network.modules())

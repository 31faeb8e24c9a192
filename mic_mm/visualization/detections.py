# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures of the boxes that several networks find in the same images."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from . import annotations as fields
from .grid import Column, draw_grid
from .panels import PanelStyle
from .tiles import Tile, draw_boxes, resize, scale_to


def draw_detections(images: Sequence[np.ndarray],
                    truth: Sequence[Any],
                    predictions: Mapping[str, Sequence[Any]],
                    min_score: float = 0.5,
                    style: Optional[PanelStyle] = None) -> np.ndarray:
    """Draw ground truth and the boxes of each network side by side.

    A row is an image, the first column its ground truth, the others a network
    each; a box has its class and score.

    Args:
        images (Sequence[np.ndarray]): RGB in [0, 255], (H, W, 3), uint8.
        truth (Sequence[DetDataSample]): A sample for each image; its
            ``gt_instances`` are drawn, in pixels of the image.
        predictions (Mapping): By name of the network, a sample for each image
            with ``pred_instances``, in pixels of the image.
        min_score (float): Boxes below it are left out. Defaults to 0.5; at
            the 0.05 of most detectors' ``test_cfg`` nothing can be seen.
        style (PanelStyle, optional): Defaults to None, the default style.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.

    Raises:
        ValueError: If there is no image.
    """
    if not images:
        raise ValueError('There are no images to draw.')
    style = style or PanelStyle()
    columns = [_column('ground truth', images, truth, style, 'gt_instances')]
    columns += [
        _column(f'{name}, score >= {min_score:g}', images, samples, style,
                'pred_instances', min_score)
        for name, samples in predictions.items()
    ]
    return np.asarray(draw_grid(columns))


def _column(title: str, images: Sequence[np.ndarray], samples: Sequence[Any],
            style: PanelStyle, field: str, min_score: float = 0.) -> Column:
    tiles = []
    for image, sample in zip(images, samples):
        factor = scale_to(image.shape[:2], style.tile_size)
        picture = resize(image, factor)
        draw_boxes(
            picture,
            fields.boxes(sample, style.classes, style.colors, field,
                              min_score), factor)
        tiles.append(Tile(picture))
    return Column(title, tiles)

# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures of what the objectives of an iteration trained on."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import torch

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics

from . import annotations
from .grid import Column, draw_grid
from .palette import class_colors, color_label_map, heat_map
from .tiles import Tile, draw_boxes, resize, scale_to, to_pixels

# Order and titles of what the objectives record; other names come last.
TITLES = {
    'source': 'source',
    'target': 'target',
    'pseudo_label': 'pseudo-label',
    'mixed': 'mixed',
    'masked': 'masked',
}


@dataclass
class PanelStyle:
    """How panels are drawn.

    Args:
        classes (Sequence[str]): Names of the classes. Defaults to (), which
            shows their indices.
        palette (Sequence, optional): RGB of the classes. Defaults to None,
            a palette of our own.
        max_images (int): Images, one in a row. Defaults to 4, enough to see
            whether something is wrong.
        tile_size (int): About the longer side of a tile in pixels. Defaults
            to 160, at which nine columns fit on a screen.
    """

    classes: Sequence[str] = ()
    palette: Optional[Sequence[Sequence[int]]] = None
    max_images: int = 4
    tile_size: int = 160
    colors: list = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Detectors without class names still need some colours.
        self.colors = class_colors(len(self.classes) or 20, self.palette)


def draw_panels(panels: dict[str, LabelledImages],
                statistics: PixelStatistics,
                style: Optional[PanelStyle] = None) -> np.ndarray:
    """Draw images and labels of an iteration side by side.

    A row is one image of the batch.  A column is what an objective recorded
    (``DomainBatch.record``): the image with boxes and classes drawn, its map
    of classes, and its map of weights.

    Args:
        panels (dict): What was recorded, by name.
        statistics (PixelStatistics): How the images were normalised.
        style (PanelStyle, optional): Defaults to None, the default style.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.

    Raises:
        ValueError: If nothing was recorded.
    """
    if not panels:
        raise ValueError('There are no panels to draw: no objective recorded '
                         'images with DomainBatch.record.')
    style = style or PanelStyle()
    order = [name for name in TITLES if name in panels]
    order += [name for name in panels if name not in TITLES]
    drawer = _Drawer(panels, statistics, style)
    columns = [column for name in order for column in drawer.columns(name)]
    return np.asarray(draw_grid(columns, drawer.legend()))


class _Drawer:

    def __init__(self, panels: dict[str, LabelledImages],
                 statistics: PixelStatistics, style: PanelStyle) -> None:
        self.panels = panels
        self.statistics = statistics
        self.style = style

    def columns(self, name: str) -> list[Column]:
        """The columns for one entry of the panels."""
        title = TITLES.get(name, name)
        labels = self._maps(name, annotations.label_map, self._label_tile)
        weights = self._maps(name, annotations.weight_map, _weight_tile)
        images = Column(title, self._image_tiles(name))
        if name == 'pseudo_label' and labels:
            # The image is that of the target, and drawn there.
            return [Column(title, labels), *_column('weight', weights)]
        if self._shows_target_with_class:
            if name == 'target':
                return []
            if name == 'pseudo_label':
                return [Column(f'target, {title}', images.tiles)]
        if name == 'masked' and 'pseudo_label' in self.panels:
            return [images]
        title_of_map = 'ground truth' if name == 'source' else f'{title} label'
        return [
            images, *_column(title_of_map, labels),
            *_column(f'{title} weight', weights)
        ]

    def _samples(self, name: str) -> list:
        return self.panels[name].data_samples[:self.style.max_images]

    @property
    def _shows_target_with_class(self) -> bool:
        """Whether pseudo-labels only add a caption to the target images."""
        return 'pseudo_label' in self.panels and all(
            'gt_label' in s for s in self._samples('pseudo_label'))

    def _image_tiles(self, name: str) -> list[Tile]:
        inputs = self.panels[name].inputs
        return [
            self._image_tile(image, sample)
            for image, sample in zip(inputs, self._samples(name))
        ]

    def _image_tile(self, image: torch.Tensor, sample: Any) -> Tile:
        style = self.style
        factor = scale_to(image.shape[-2:], style.tile_size)
        picture = resize(to_pixels(image, self.statistics), factor)
        boxes = annotations.boxes(sample, style.classes, style.colors)
        draw_boxes(picture, boxes, factor)
        return Tile(picture, annotations.caption(sample, style.classes))

    def _maps(self, name: str, get_map: Callable,
              draw: Callable) -> list[Optional[Tile]]:
        """A tile per image, None without a map; empty if none has one."""
        maps = [get_map(sample) for sample in self._samples(name)]
        if all(pixels is None for pixels in maps):
            return []
        return [
            None if pixels is None else draw(
                pixels, scale_to(pixels.shape, self.style.tile_size))
            for pixels in maps
        ]

    def _label_tile(self, labels: np.ndarray, factor: float) -> Tile:
        colored = color_label_map(labels, self.style.colors)
        return Tile(resize(colored, factor))

    def legend(self) -> list[tuple[str, tuple]]:
        """Name and colour of the classes, if a map of them is drawn."""
        has_maps = any(
            annotations.label_map(sample) is not None for name in self.panels
            for sample in self._samples(name))
        return list(zip(map(str, self.style.classes),
                        self.style.colors)) if has_maps else []


def _weight_tile(weights: np.ndarray, factor: float) -> Tile:
    low, high = float(weights.min()), float(weights.max())
    span = f'{low:.2f}' if high - low < 0.005 else f'{low:.2f} to {high:.2f}'
    return Tile(resize(heat_map(weights), factor), span)


def _column(title: str, tiles: list[Optional[Tile]]) -> list[Column]:
    return [Column(title, tiles)] if tiles else []

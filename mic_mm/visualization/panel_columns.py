# Copyright (c) mic_mm authors. All rights reserved.
"""Which columns show what an objective recorded."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import torch
from PIL import Image

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics

from . import annotations as fields
from .grid import Column
from .palette import color_label_map, heat_map
from .tiles import Tile, draw_boxes, resize, scale_to, to_pixels

if TYPE_CHECKING:
    from .panels import PanelStyle

# From a map and the factor of its size to a picture and its caption.
Draw = Callable[[np.ndarray, float], tuple[Image.Image, str]]
# The legend names the colours of the boxes whose text is left out.
_CROWD = 8


class PanelColumns:
    """Draws the columns of one iteration.

    Args:
        panels (dict): What was recorded, by name.
        statistics (PixelStatistics): How the images were normalised.
        style (PanelStyle): How they are drawn.
    """

    def __init__(self, panels: dict[str, LabelledImages],
                 statistics: PixelStatistics, style: PanelStyle) -> None:
        self.panels = panels
        self.statistics = statistics
        self.style = style

    def columns(self, name: str, title: str) -> list[Column]:
        """The columns for one entry of the panels."""
        labels = self._maps(name, fields.label_map, self._label_picture)
        weights = self._maps(name, fields.weight_map, _weight_picture)
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
        boxes = fields.boxes(sample, style.classes, style.colors)
        draw_boxes(picture, boxes, factor, crowd=_CROWD)
        return Tile(picture, fields.caption(sample, style.classes),
                    self._words(sample))

    def _words(self, sample: Any) -> tuple[str, ...]:
        return (fields.file_name(sample),
                *fields.classes_in(sample, self.style.classes))

    def _maps(self, name: str, get_map: Callable,
              draw: Draw) -> list[Optional[Tile]]:
        """A tile per image, None without a map; empty if none has one."""
        samples = self._samples(name)
        maps = [get_map(sample) for sample in samples]
        if all(pixels is None for pixels in maps):
            return []
        return [
            None if pixels is None else Tile(
                *draw(pixels, scale_to(pixels.shape, self.style.tile_size)),
                self._words(sample)) for pixels, sample in zip(maps, samples)
        ]

    def _label_picture(self, labels: np.ndarray, factor: float) -> tuple[Image.Image, str]:
        colored = color_label_map(labels, self.style.colors)
        return resize(colored, factor, blend=False), ''


def _weight_picture(weights: np.ndarray, factor: float) -> tuple[Image.Image, str]:
    low, high = float(weights.min()), float(weights.max())
    span = f'{low:.2f}' if high - low < 0.005 else f'{low:.2f} to {high:.2f}'
    return resize(heat_map(weights), factor, blend=False), span


def _column(title: str, tiles: list[Optional[Tile]]) -> list[Column]:
    return [Column(title, tiles)] if tiles else []

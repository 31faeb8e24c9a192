# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures of what the objectives of an iteration trained on."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics

from .grid import Column, draw_grid
from .legend import legend
from .palette import class_colors
from .panel_columns import PanelColumns

# Below vis_data of a run: where the hook writes panels and the report finds them.
PANEL_FOLDER = 'uda_panels'
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

    @classmethod
    def of(cls, metainfo: Optional[dict], **kwargs: Any) -> PanelStyle:
        """The style for a data set.

        Args:
            metainfo (dict, optional): Its meta information; ``classes`` and
                ``palette`` are used, where it has them.
            **kwargs: Other arguments.
        """
        metainfo = metainfo or {}
        palette = metainfo.get('palette')
        return cls(
            classes=metainfo.get('classes') or (),
            # Some datasets have a word there, e.g. 'random'.
            palette=None if isinstance(palette, str) else palette,
            **kwargs)


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
    style = style or PanelStyle()
    columns = panel_columns(panels, statistics, style)
    return np.asarray(draw_grid(columns, legend(panels, statistics, style)))


def panel_columns(panels: dict[str, LabelledImages],
                  statistics: PixelStatistics,
                  style: PanelStyle) -> list[Column]:
    """The columns of :func:`draw_panels`, to be laid out otherwise.

    Raises:
        ValueError: If nothing was recorded.
    """
    if not panels:
        raise ValueError('There are no panels to draw: no objective recorded '
                         'images with DomainBatch.record.')
    order = [name for name in TITLES if name in panels]
    order += [name for name in panels if name not in TITLES]
    drawer = PanelColumns(panels, statistics, style)
    return [
        column for name in order
        for column in drawer.columns(name, TITLES.get(name, name))
    ]

# Copyright (c) mic_mm authors. All rights reserved.
"""Samples of training as rows of tiles."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mic_mm.core.pixel_statistics import PixelStatistics

from ..grid import Column, draw_grid
from ..legend import Legend, legend
from ..panels import PanelStyle, panel_columns
from ..tiles import Tile
from .replay import Recording, TrainingReplay


@dataclass(frozen=True)
class Sample:
    """One row: what the objectives saw of one place in the batch.

    Attributes:
        name (str): What it is, for people.
        tiles (dict[str, Tile]): By what they show, in order.
    """

    name: str
    tiles: dict[str, Tile]

    @property
    def contents(self) -> list[str]:
        """Each file with the classes in it, e.g. ``'a.png: road, car'``."""
        classes: dict[str, dict[str, None]] = {}
        for tile in self.tiles.values():
            if tile.words:
                known = classes.setdefault(tile.words[0], {})
                known.update(dict.fromkeys(tile.words[1:]))
        return [
            f'{file}: {", ".join(names)}' if names else file
            for file, names in classes.items() if file or names
        ]


def record(replay: TrainingReplay, iteration: int,
           num: int) -> list[Recording]:
    """Record as many iterations as have ``num`` images.

    Args:
        replay (TrainingReplay): The training.
        iteration (int): The first iteration.
        num (int): Wanted number of images of each domain.

    Raises:
        ValueError: If ``num`` is not positive.
    """
    if num < 1:
        raise ValueError(f'num={num} images are nothing to look at; give at '
                         'least 1.')
    count = -(-num // replay.batch_size)
    return [replay.record(iteration + step) for step in range(count)]


def samples_of(recordings: Sequence[Recording], statistics: PixelStatistics,
               style: PanelStyle, num: int) -> list[Sample]:
    """The first ``num`` samples of some iterations."""
    samples: list[Sample] = []
    for recording in recordings:
        columns = panel_columns(recording.panels, statistics, style)
        rows = max(len(column.tiles) for column in columns)
        samples += [
            Sample(f'iteration {recording.iteration}, image {row}',
                   _row(columns, row))
            for row in range(rows)
        ]
    return samples[:num]


def _row(columns: Sequence[Column], row: int) -> dict[str, Tile]:
    return {
        column.title: column.tiles[row]
        for column in columns
        if row < len(column.tiles) and column.tiles[row] is not None
    }


def kinds_of(samples: Sequence[Sample]) -> list[str]:
    """What the tiles show, each kind once, in order."""
    return list(dict.fromkeys(kind for s in samples for kind in s.tiles))


def legend_of(recordings: Sequence[Recording], statistics: PixelStatistics,
              style: PanelStyle) -> Legend:
    """The legend of several iterations."""
    return list(
        dict.fromkeys(entry for recording in recordings
                      for entry in legend(recording.panels, statistics, style)))


def browse_grid(samples: Sequence[Sample], legend: Legend,
                header: Sequence[str]) -> np.ndarray:
    """All samples in one picture, a row each.

    Args:
        samples (Sequence[Sample]): The samples.
        legend (list): Name and colour of the classes.
        header (Sequence[str]): Lines above.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.
    """
    columns = [
        Column(kind, [sample.tiles.get(kind) for sample in samples])
        for kind in kinds_of(samples)
    ]
    return np.asarray(draw_grid(columns, legend, header))

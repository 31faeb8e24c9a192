# Copyright (c) mic_mm authors. All rights reserved.
"""Writes the picture and the page of a training's samples."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from PIL import Image

from ..panels import PanelStyle
from .browse_page import browse_page
from .replay import Recording, TrainingReplay
from .samples import browse_grid, legend_of, record, samples_of

# Nine columns of it fit on a screen; the page shows larger tiles.
_GRID_TILE = 160


def write_browse_files(replay: TrainingReplay,
                       name: str,
                       folder: Path,
                       num: int = 8,
                       iteration: Optional[int] = None,
                       tile_size: int = 256) -> tuple[Path, Path]:
    """Write ``<name>.png`` and ``<name>.html``.

    Args:
        replay (TrainingReplay): The training.
        name (str): Name of the config.
        folder (Path): Where to; made if it does not exist.
        num (int): Images of each domain. Defaults to 8.
        iteration (int, optional): The first iteration. Defaults to None:
            that of the checkpoint, but none before all objectives are
            active.
        tile_size (int): About the longer side of a tile of the page in
            pixels. Defaults to 256.

    Returns:
        tuple[Path, Path]: The picture and the page.
    """
    if iteration is None:
        iteration = max(replay.checkpoint_iteration or 0,
                        replay.first_full_iteration)
    recordings = record(replay, iteration, num)
    statistics = replay.model.data_preprocessor.statistics
    metainfo = getattr(replay.loader.dataset, 'metainfo', None)
    small, large = (
        PanelStyle.of(metainfo, max_images=num, tile_size=size)
        for size in (_GRID_TILE, tile_size))
    legend = legend_of(recordings, statistics, large)
    notes = _notes(replay, recordings)
    warnings = _warnings(replay, iteration, recordings)

    folder.mkdir(parents=True, exist_ok=True)
    picture, page = folder / f'{name}.png', folder / f'{name}.html'
    Image.fromarray(
        browse_grid(
            samples_of(recordings, statistics, small, num), legend,
            [name, *notes, *warnings])).save(picture)
    page.write_text(
        browse_page(name, samples_of(recordings, statistics, large, num),
                    legend, notes, warnings),
        encoding='utf-8')
    return picture, page


def _notes(replay: TrainingReplay,
           recordings: Sequence[Recording]) -> list[str]:
    first, last = recordings[0].iteration, recordings[-1].iteration
    which = f'iteration {first}' if first == last else (
        f'iterations {first} to {last}')
    notes = [f'What training in one process sees in {which} (counted from '
             f'0) with seed {replay.seed}.']
    if not replay.model.teachers():
        return notes
    notes.append(f'Pseudo-labels are those of {replay.teacher_origin}.')
    values = {
        name: sum(r.values[name] for r in recordings) / len(recordings)
        for name in recordings[0].values
        if 'loss' not in name and '.acc' not in name and all(
            name in r.values for r in recordings)
    }
    if values:
        notes.append(', '.join(
            f'{name} {value:.3f}' for name, value in sorted(values.items())))
    return notes


def _warnings(replay: TrainingReplay, iteration: int,
              recordings: Sequence[Recording]) -> list[str]:
    warnings = []
    waiting = [
        f'{name} (from iteration {objective.begin} on)'
        for name, objective in replay.model.objectives.items()
        if objective.begin > iteration
    ]
    if waiting:
        warnings.append('Not active yet, and not shown: '
                        + ', '.join(waiting) + '.')
    if not replay.model.teachers():
        return warnings
    if replay.checkpoint_iteration is None:
        warnings.append('Pseudo-labels and weights say nothing about those '
                        'of a trained teacher; --checkpoint gives one.')
        return warnings
    shares = [
        value for recording in recordings
        for name, value in recording.values.items()
        if name.endswith('.confident_share')
    ]
    if shares and max(shares) == 0:
        warnings.append(
            'The teacher is nowhere confident enough (confident_share is 0), '
            'so pseudo-labels have no weight and nothing is learnt from them. '
            'Train longer, begin later, or lower the threshold.')
    return warnings

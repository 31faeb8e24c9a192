# Copyright (c) mic_mm authors. All rights reserved.
"""What MMEngine's LoggerHook wrote down during a run."""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

Curve = tuple[list[float], list[float]]


def read_scalars(work_dir: Path) -> dict[str, Curve]:
    """Read the logged values of a run, training and validation.

    A run that was resumed has several logs; they are joined, and what a later
    one repeats counts.

    Args:
        work_dir (Path): Work directory of the run, with
            ``<timestamp>/vis_data/scalars.json`` of MMEngine's
            ``LocalVisBackend`` in it.

    Returns:
        dict: Steps and values by name, e.g. ``'mic.loss'`` or ``'mIoU'``.

    Raises:
        FileNotFoundError: If there is no log.
    """
    paths = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not paths:
        raise FileNotFoundError(
            f'{work_dir} holds no */vis_data/scalars.json. Was the run '
            "trained with vis_backends=[dict(type='LocalVisBackend')]?")
    points: dict[str, dict[float, float]] = {}
    for path in paths:
        for entry in _entries(path):
            for name, value in entry.items():
                if isinstance(value, (int, float)):
                    points.setdefault(name, {})[entry['step']] = value
    return {name: _in_order(by_step) for name, by_step in points.items()}


def _entries(path: Path) -> Iterator[dict]:
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off when the run was killed
        if 'step' in entry:
            yield entry


def _in_order(by_step: dict[float, float]) -> Curve:
    steps = sorted(by_step)
    return steps, [by_step[step] for step in steps]

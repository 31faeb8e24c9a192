# Copyright (c) mic_mm authors. All rights reserved.
"""What MMEngine's LoggerHook wrote down during a run."""
from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Curve = tuple[list[float], list[float]]

# What both training and validation log, of themselves.
_SHARED = ('time', 'data_time', 'memory')
# Precisions and recalls of COCO, which are -1 where there is no object.
_COCO = re.compile(r'mAP|AP50|AR@')


@dataclass(frozen=True)
class Scalars:
    """Curves of a run.

    Attributes:
        training (dict[str, Curve]): Steps and values by name, of training.
        validation (dict[str, Curve]): The same of validations, without
            their duration.
    """

    training: dict[str, Curve] = field(default_factory=dict)
    validation: dict[str, Curve] = field(default_factory=dict)


def read_scalars(work_dir: Path) -> dict[str, Curve]:
    """Read the logged values of a run, training and validation.

    See :func:`split_scalars`.

    Returns:
        dict: Steps and values by name, e.g. ``'mic.loss'`` or ``'mIoU'``.

    Raises:
        FileNotFoundError: If there is no log.
    """
    scalars = split_scalars(work_dir)
    return {**scalars.validation, **scalars.training}


def split_scalars(work_dir: Path) -> Scalars:
    """Read the logged values of a run, by where they come from.

    A run that was resumed has several logs, in folders named after the time.
    They are joined: where a later log begins to train, the earlier ones end,
    since what they did afterwards was lost.

    Args:
        work_dir (Path): Work directory of the run, with
            ``<timestamp>/vis_data/scalars.json`` of MMEngine's
            ``LocalVisBackend`` in it.

    Raises:
        FileNotFoundError: If there is no log.
    """
    paths = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not paths:
        raise FileNotFoundError(
            f'{work_dir} holds no */vis_data/scalars.json. Was the run '
            "trained with vis_backends=[dict(type='LocalVisBackend')]?")
    joined: list[dict] = []
    for path in paths:
        joined = _join(joined, _entries(path))
    training = [entry for entry in joined if _is_training(entry)]
    validation = [{
        name: value
        for name, value in entry.items()
        if name not in _SHARED and not _is_undefined(name, value)
    } for entry in joined if not _is_training(entry)]
    return Scalars(_curves(training), _curves(validation))


def _entries(path: Path) -> list[dict]:
    entries = []
    for line in path.read_text(errors='replace').splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off when the run was killed
        if isinstance(entry, dict) and 'step' in entry:
            entries.append(entry)
    return entries


def _is_training(entry: dict) -> bool:
    # LoggerHook adds the iteration to what is logged during training.
    return 'iter' in entry


def _is_undefined(name: str, value: Any) -> bool:
    """Whether COCO's evaluation had nothing to measure, e.g. no small object."""
    return value == -1 and _COCO.search(name) is not None


def _join(earlier: list[dict], later: list[dict]) -> list[dict]:
    training = [entry for entry in later if _is_training(entry)]
    if not training:
        return earlier + later  # only evaluated
    first, epochs = training[0], _epochs(earlier)
    return [e for e in earlier if _is_before(e, first, epochs)] + later


def _epochs(entries: list[dict]) -> int:
    return max((e.get('epoch', 0) for e in entries if _is_training(e)),
               default=0)


def _is_before(entry: dict, first: dict, epochs: int) -> bool:
    """Whether training came to ``entry`` before it came to ``first``.

    Trained by epochs, the step of a validation may be its epoch: then it is
    no larger than the number of ``epochs`` there were.
    """
    if not _is_training(entry) and entry['step'] <= epochs:
        return entry['step'] < first.get('epoch', 0)
    return entry['step'] < first['step']


def _curves(entries: Iterable[dict]) -> dict[str, Curve]:
    points: dict[str, dict[float, float]] = {}
    for entry in entries:
        for name, value in entry.items():
            if name != 'step' and isinstance(value, (int, float)):
                points.setdefault(name, {})[entry['step']] = value
    return {name: _in_order(by_step) for name, by_step in points.items()}


def _in_order(by_step: dict[float, float]) -> Curve:
    steps = sorted(by_step)
    return steps, [by_step[step] for step in steps]

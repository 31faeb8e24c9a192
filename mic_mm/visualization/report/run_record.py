# Copyright (c) mic_mm authors. All rights reserved.
"""What a training run has left in its work directory."""
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from ..panels import PANEL_FOLDER
from .class_values import ClassValues, class_values
from .scalars import Scalars, split_scalars


@dataclass(frozen=True)
class RunRecord:
    """A run, as far as its files tell.

    Attributes:
        name (str): Name for people, different from those of other runs.
        folder (Path): Work directory.
        starts (list[str]): Names of the folders of each start that trained,
            by time; the second and later ones are resumed. Without any, of
            all starts.
        scalars (Scalars): Curves.
        classes (dict[str, ClassValues]): The last value of each class, by
            metric.
        panels (list[Path]): Pictures of what was trained on, by iteration.
        pictures (list[Path]): The last other picture of each name.
        config (dict, optional): Settings of the last of these starts.
        remarks (list[str]): What is missing, in words.
    """

    name: str
    folder: Path
    starts: list[str] = field(default_factory=list)
    scalars: Scalars = Scalars()
    classes: dict[str, ClassValues] = field(default_factory=dict)
    panels: list[Path] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    config: Optional[dict] = None
    remarks: list[str] = field(default_factory=list)


def read_runs(folders: Iterable[Path]) -> list[RunRecord]:
    """Read runs.

    Args:
        folders (Iterable[Path]): Work directories, or folders with work
            directories somewhere below.

    Raises:
        FileNotFoundError: If a folder does not exist or has no run in it.
    """
    found = [run for folder in folders for run in find_runs(Path(folder))]
    found = list(dict.fromkeys(found))
    return [
        read_run(folder, name)
        for folder, name in zip(found, _short_names(found))
    ]


def find_runs(folder: Path) -> list[Path]:
    """Work directories at or below a folder, sorted.

    Raises:
        FileNotFoundError: If there is none.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder} does not exist or is no folder.')
    if (folder / 'vis_data').is_dir():
        raise FileNotFoundError(
            f'{folder} is one start of a run. Give its work directory, '
            f'{folder.parent}.')
    starts = list(folder.glob('*/vis_data')) or list(folder.rglob('vis_data'))
    if not starts:
        raise FileNotFoundError(
            f'{folder} is no work directory of MMEngine, and has none below: '
            'there is no <timestamp>/vis_data in it.')
    return sorted({path.parents[1] for path in starts})


def read_run(folder: Path, name: Optional[str] = None) -> RunRecord:
    """Read a run; what it lacks is among the remarks.

    Args:
        folder (Path): Its work directory.
        name (str, optional): Defaults to None, that of the folder.
    """
    remarks: list[str] = []
    starts = sorted(p.parent for p in folder.glob('*/vis_data'))
    try:
        scalars = split_scalars(folder)
    except FileNotFoundError as error:
        scalars = Scalars()
        remarks.append(f'No curves: {error}')
    if scalars != Scalars() and not scalars.validation:
        remarks.append('No validation was logged.')
    trained = [start for start in starts if _has_trained(start)] or starts
    panels = _panels(starts)
    if not panels:
        remarks.append('No panels: mic_mm.UDAVisualizationHook has drawn '
                       'none.')
    return RunRecord(
        name=name or folder.name,
        folder=folder,
        starts=[start.name for start in trained],
        scalars=scalars,
        classes=class_values(scalars, starts),
        panels=panels,
        pictures=_last_pictures(starts),
        config=_config(folder, trained, remarks),
        remarks=remarks)


def _has_trained(start: Path) -> bool:
    """Unlike evaluations and starts that ended in an error, which log no values."""
    data = start / 'vis_data'
    return (data / 'scalars.json').is_file() or any(
        (data / PANEL_FOLDER).glob('*.png'))


def _config(folder: Path, starts: list[Path],
            remarks: list[str]) -> Optional[dict]:
    paths = [start / 'vis_data' / 'config.py' for start in reversed(starts)]
    for path in [*paths, *sorted(folder.glob('*.py'))]:
        if not path.is_file():
            continue
        try:
            return Config.fromfile(
                path, import_custom_modules=False).to_dict()
        except Exception as error:  # whatever its code raises
            remarks.append(f'{path} cannot be read: {error!r}')
    remarks.append('No config was found.')
    return None


def _panels(starts: list[Path]) -> list[Path]:
    """Pictures by iteration; where a later start begins, earlier ones end."""
    joined: list[Path] = []
    for start in starts:
        later = sorted(
            path for path in start.glob(f'vis_data/{PANEL_FOLDER}/*.png')
            if path.stem.isdigit())
        if later:
            first = int(later[0].stem)
            joined = [path for path in joined if int(path.stem) < first]
            joined += later
    return joined


def _last_pictures(starts: list[Path]) -> list[Path]:
    """The picture with the largest step of each name."""
    last: dict[str, tuple[int, Path]] = {}
    for start in starts:
        for path in sorted(start.glob('vis_data/vis_image/*.png')):
            name, _, step = path.stem.rpartition('_')
            number = int(step) if step.isdigit() else 0
            if name not in last or number >= last[name][0]:
                last[name] = (number, path)
    return [path for _, path in last.values()]


def _short_names(folders: list[Path]) -> list[str]:
    """The parts of the paths in which they differ."""
    if len(folders) < 2:
        return [folder.name for folder in folders]
    common = Path(os.path.commonpath(folders))
    parts = [folder.relative_to(common).parts for folder in folders]
    # One folder may lie inside of another.
    return ['/'.join(p) or common.name for p in parts]

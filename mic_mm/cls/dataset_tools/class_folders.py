# Copyright (c) mic_mm authors. All rights reserved.
"""Domains that are stored as one folder per class."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mic_mm.utils.pictures import IMAGE_SUFFIXES, is_hidden


class Sample(NamedTuple):
    """An image of a data set.

    Attributes:
        path (str): Relative to the root of the data set.
        label (int): Index of its class.
    """

    path: str
    label: int


def find_folder(root: Path, candidates: Sequence[str]) -> Path:
    """The first of some folders that exists.

    Raises:
        FileNotFoundError: If none does.
    """
    for name in candidates:
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f'{root} has no folder {" or ".join(map(repr, candidates))}. Give '
        'the folder into which the archives of the data set were extracted.')


def class_names(folder: Path) -> list[str]:
    """Names of the class folders, without hidden ones."""
    return sorted(
        path.name for path in folder.iterdir()
        if path.is_dir() and not is_hidden(path.name))


def check_same_classes(folders: Mapping[str, Path],
                       classes: Sequence[str]) -> None:
    """Refuse domains whose class folders are not the classes.

    Args:
        folders (Mapping[str, Path]): Folder with the class folders of each
            domain.
        classes (Sequence[str]): Names of the classes.

    Raises:
        ValueError: Naming what each domain lacks and has in addition.
    """
    problems = []
    for domain, folder in folders.items():
        found = set(class_names(folder))
        missing = [name for name in classes if name not in found]
        unknown = sorted(found - set(classes))
        if missing or unknown:
            problems.append(f'{domain} ({folder}): missing {missing}, not a '
                            f'class {unknown}')
    if problems:
        raise ValueError('The class folders of the domains differ from the '
                         f'{len(classes)} classes.\n  ' +
                         '\n  '.join(problems))


def find_samples(root: Path, folder: Path,
                 classes: Sequence[str]) -> list[Sample]:
    """All images below the class folders, by class and name.

    Args:
        root (Path): Root of the data set, to which paths are relative.
        folder (Path): Folder with the class folders.
        classes (Sequence[str]): Names of the classes, in their order.

    Raises:
        ValueError: If a class has no image.
    """
    samples, empty = [], []
    for label, name in enumerate(classes):
        found = sorted(path for path in (folder / name).rglob('*')
                       if path.suffix.lower() in IMAGE_SUFFIXES
                       and not is_hidden(path.relative_to(folder)))
        samples += [
            Sample(path.relative_to(root).as_posix(), label) for path in found
        ]
        if not found:
            empty.append(name)
    if empty:
        raise ValueError(f'These class folders in {folder} have no image: '
                         f'{", ".join(empty)}. Is the archive complete?')
    return samples

# Copyright (c) mic_mm authors. All rights reserved.
"""Reads what the original code computed, and compares with it.

A recording is a folder with a subfolder for each task (``seg``, ``cls``,
``det``), which holds ``.npz`` files and a ``manifest.json`` that describes
them.  Another recording of the same cases may have other seeds, sizes and
file names; tests therefore find files, sizes, configuration and tolerances
through the manifest.
"""
from __future__ import annotations

import json
import os
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Optional

import numpy as np

from .tolerance import Tolerance

ROOT_VARIABLE = 'MIC_MM_GOLDEN_ROOT'


class GoldenCase:
    """A file of a recording and its entry in the manifest.

    Array ``name`` is ``case[name]``.

    Args:
        path (Path): The ``.npz`` file.
        entry (dict): Its entry in the manifest.

    Attributes:
        config (dict): Configuration of the original.
        entry (dict): The whole entry of the manifest.
    """

    def __init__(self, path: Path, entry: dict) -> None:
        self.path = path
        self.entry = entry
        self.config = entry.get('config', {})
        with np.load(path, allow_pickle=False) as arrays:
            self._arrays = dict(arrays)
        self._rules = _rules(entry)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def names(self, pattern: str = '*') -> list[str]:
        """Names of the arrays that match a shell-style pattern."""
        return [name for name in self._arrays if fnmatchcase(name, pattern)]

    def tolerance(self, name: str) -> Tolerance:
        """The tolerance of an array: the first rule whose pattern matches.

        Raises:
            KeyError: If no rule does.
        """
        for patterns, rule in self._rules:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return Tolerance.from_rule(rule, self._largest_gradient)
        raise KeyError(f'{self.path.name} has no tolerance for {name!r}.')

    def assert_within(self,
                      name: str,
                      actual: Any,
                      expected: Optional[Any] = None) -> None:
        """Assert that a result agrees with the recorded array.

        Args:
            name (str): Name of the array; chooses the tolerance.
            actual (Tensor | array-like): The result.
            expected (array-like, optional): What to compare with. Defaults
                to None, the recorded array.

        Raises:
            AssertionError: If the shapes differ or the values differ by more
                than the tolerance.
        """
        tolerance = self.tolerance(name)
        if expected is None:
            expected = self[name]
        tolerance.check(actual, expected, f'{self.path.name}: {name}')

    @cached_property
    def _largest_gradient(self) -> float:
        norms = [
            np.linalg.norm(array.astype(np.float64).ravel())
            for name, array in self._arrays.items()
            if 'grad' in name.split('/')[:-1]
        ]
        return max(norms, default=0.)


def golden_root() -> Path:
    """Folder of the recording.

    It is the environment variable ``MIC_MM_GOLDEN_ROOT``, or else
    ``tests/data/golden`` of the source tree.
    """
    default = Path(__file__).parents[2] / 'tests' / 'data' / 'golden'
    return Path(os.environ.get(ROOT_VARIABLE) or default)


def list_golden(task: str) -> list[str]:
    """Identifiers of the cases of a task whose file is there."""
    return [
        identifier for identifier, entry in _entries(task).items()
        if (golden_root() / task / entry['file']).is_file()
    ]


def load_golden(task: str, identifier: str) -> GoldenCase:
    """Load a case of a recording.

    Args:
        task (str): ``'seg'``, ``'cls'`` or ``'det'``.
        identifier (str): The ``id`` of the manifest, the name of the file,
            or that without suffix and variant; a beginning of the last, such
            as ``'case04'``, is enough where it is unique.

    Raises:
        KeyError: If the manifest has no such case, or several.
        FileNotFoundError: If there is no manifest or the file is missing.
    """
    entries = _entries(task)
    matches = [
        name for name, entry in entries.items()
        if identifier in (name, entry['file'])
    ] or [name for name in entries if name.startswith(identifier)]
    if len(matches) != 1:
        raise KeyError(f'The {task} recording has {len(matches)} cases '
                       f'{identifier!r} ({matches}); it has '
                       f'{sorted(entries)}.')
    entry = entries[matches[0]]
    return GoldenCase(golden_root() / task / entry['file'], entry)


def _entries(task: str) -> dict[str, dict]:
    path = golden_root() / task / 'manifest.json'
    if not path.is_file():
        raise FileNotFoundError(f'There is no {path}. Set {ROOT_VARIABLE} to '
                                'a folder of recordings.')
    manifest = json.loads(path.read_text())
    variant = f"_{manifest.get('variant', '')}"
    files = manifest.get('files', manifest.get('fixtures'))
    return {
        entry.get('id', Path(entry['file']).stem.removesuffix(variant)): entry
        for entry in files
    }


def _rules(entry: dict) -> list[tuple[list[str], dict]]:
    """Patterns and tolerances, in the layout of either manifest."""
    if 'tolerances' in entry:
        return [([rule['arrays']], rule) for rule in entry['tolerances']]
    return [([pattern.strip() for pattern in rule['compare'].split(',')], rule)
            for rule in entry.get('assertions', [])]

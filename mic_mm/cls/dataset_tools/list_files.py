# Copyright (c) mic_mm authors. All rights reserved.
"""List files: `<path> <label>` on each line."""
from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .class_folders import Sample


def write_list(path: Path, samples: Sequence[Sample]) -> None:
    """Write a list file that is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial')
    partial.write_text(''.join(f'{s.path} {s.label}\n' for s in samples))
    os.replace(partial, path)


def parse_list(path: Path) -> list[Sample]:
    """Read a list file.

    Raises:
        ValueError: If a line has no label.
    """
    samples = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(' ')
        if not name or not label.isdigit():
            raise ValueError(f'{path}, line {number}: {line!r} is no '
                             '`<path> <label>`.')
        samples.append(Sample(name.strip(), int(label)))
    return samples


def report(written: Mapping[Path, int], unreadable: Mapping[str, str]) -> int:
    """Print what was written and, by name, what was left out.

    Args:
        written (Mapping[Path, int]): Number of images of each list.
        unreadable (Mapping[str, str]): Reason for each image left out.

    Returns:
        int: Exit code: 0 if every image can be read, else 1.
    """
    for path, reason in unreadable.items():
        print(f'{path}: {reason}', file=sys.stderr)
    for list_file, count in written.items():
        print(f'{list_file}: {count} images')
    if unreadable:
        print(f'{len(unreadable)} unreadable images were left out '
              '(named above)')
    return 1 if unreadable else 0

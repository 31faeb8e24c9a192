# Copyright (c) mic_mm authors. All rights reserved.
"""Decode every image once, and remember which could be."""
from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Optional

from mmengine.utils import ProgressBar

from mic_mm.engine.data.corrupt_images import why_unreadable

# Images per task of a process: large enough that their exchange is cheap.
_CHUNK = 64


class ImageCheck:
    """Finds the images of a data set that cannot be decoded.

    What was found is appended to a journal file as it goes, so that an
    interrupted check goes on where it was, and a second one only asks for
    sizes and times of the files.

    Args:
        root (Path): Root of the data set.
        journal (Path): The journal file.
        nproc (int): Number of processes. Defaults to 1.
        force (bool): Forget the journal. Defaults to False.
    """

    def __init__(self,
                 root: Path,
                 journal: Path,
                 nproc: int = 1,
                 force: bool = False) -> None:
        self.root = root
        self.journal = journal
        self.nproc = nproc
        if force:
            journal.unlink(missing_ok=True)

    def unreadable(self, paths: Sequence[str],
                   title: str = 'images') -> dict[str, str]:
        """Reasons for the images that cannot be decoded, by path.

        Args:
            paths (Sequence[str]): Paths relative to the root.
            title (str): What they are, for the progress bar.
        """
        known = self._read_journal()
        states = {path: _state(self.root / path) for path in paths}
        new = [p for p in paths if (p, states[p]) not in known]
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with self.journal.open('a') as journal:
            for path, reason in track(self._decode(new), len(new), title):
                known[path, states[path]] = reason
                line = ' '.join((reason or '').split())
                journal.write(f'{path}\t{states[path]}\t{line}\n')
        reasons = ((path, known[path, states[path]]) for path in paths)
        return {path: reason for path, reason in reasons if reason}

    def _decode(self, paths: list[str]) -> Iterator[tuple]:
        files = [str(self.root / path) for path in paths]
        if self.nproc == 1 or len(files) <= _CHUNK:
            yield from zip(paths, map(why_unreadable, files))
            return
        with multiprocessing.Pool(self.nproc) as pool:
            yield from zip(paths, pool.imap(why_unreadable, files, _CHUNK))

    def _read_journal(self) -> dict[tuple, Optional[str]]:
        if not self.journal.is_file():
            return {}
        lines = self.journal.read_text().splitlines()
        # The last line of an interrupted run may be cut off.
        fields = (line.split('\t') for line in lines)
        return {(f[0], f[1]): f[2] or None for f in fields if len(f) == 3}


def track(items: Iterable, count: int, title: str) -> Iterator:
    """Iterate with a progress bar, or with one line where there is no TTY."""
    if not count:
        return
    if not sys.stdout.isatty():
        yield from items
        print(f'{title}: {count} checked', flush=True)
        return
    print(title)
    bar = ProgressBar(count)
    for item in items:
        yield item
        bar.update()
    print()


def _state(file: Path) -> str:
    """Changes when the file does."""
    try:
        stat = file.stat()
    except OSError:
        return 'missing'
    return f'{stat.st_size}-{stat.st_mtime_ns}'

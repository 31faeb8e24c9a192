# Copyright (c) mic_mm authors. All rights reserved.
"""Decode every image once, and remember which could be."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mic_mm.engine.data.corrupt_images import why_unreadable
from mic_mm.utils.journal import Journal, file_state
from mic_mm.utils.parallel import run_in_order

_JOB = dict(check='decode')


class ImageCheck:
    """Finds the images of a data set that cannot be decoded.

    What was found is kept in a journal, so that an interrupted check goes on
    where it was, and a second one only asks for sizes and times of the files.

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
        self.nproc = nproc
        if force:
            journal.unlink(missing_ok=True)
        self._journal = Journal(journal, _JOB)

    def unreadable(self, paths: Sequence[str],
                   title: str = 'images') -> dict[str, str]:
        """Reasons for the images that cannot be decoded, by path.

        Args:
            paths (Sequence[str]): Paths relative to the root.
            title (str): What they are, for the progress bar.
        """
        files = {path: self.root / path for path in paths}
        states = {path: file_state(file) for path, file in files.items()}
        # '' for an image that can be decoded, None for an unknown one.
        reasons = {p: self._journal.get(p, states[p]) for p in paths}
        new = [path for path in paths if reasons[path] is None]
        results = run_in_order(why_unreadable, [files[p] for p in new],
                               self.nproc, title)
        # Strict asks for the end, where the progress is finished.
        for path, reason in zip(new, results, strict=True):
            reasons[path] = ' '.join((reason or '').split())
            self._journal.add(path, states[path], reasons[path])
        self._journal.close(remove=False)
        return {path: reason for path, reason in reasons.items() if reason}

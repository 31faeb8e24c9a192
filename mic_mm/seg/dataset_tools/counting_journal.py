# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TextIO

from .outcome import Outcome


class CountingJournal:
    """Counts of label maps on disk, to go on after an interruption.

    One line of JSON per label map, after a line that tells what is counted.
    Counts of another job, or of a file that has changed since, are not used.

    Args:
        path (Path): The journal.
        job (dict): What the counts depend on besides the files: classes,
            label map and so on.
    """

    def __init__(self, path: Path, job: dict[str, Any]) -> None:
        self.path = path
        self._job = json.dumps(job, sort_keys=True)
        self._known = self._read()
        self._file: TextIO | None = None

    def known(self, file: str) -> Outcome | None:
        """What is known of a label map; None if it has to be counted."""
        entry = self._known.get(file)
        if entry is None or entry['state'] != _state(file):
            return None
        counts = {int(c): n for c, n in entry['counts'].items()}
        return Outcome(file, counts, is_new=False)

    def add(self, outcome: Outcome) -> None:
        """Write down the counts of a label map without a problem."""
        if outcome.problem is not None or not outcome.is_new:
            return
        entry = dict(
            file=outcome.file,
            state=_state(outcome.file),
            counts=outcome.counts)
        self._open().write(json.dumps(entry) + '\n')
        self._file.flush()

    def remove(self) -> None:
        """Delete the journal when the work is done."""
        if self._file is not None:
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict]:
        if not self.path.is_file():
            return {}
        job, *lines = self.path.read_text().split('\n')
        if job != self._job:
            return {}
        known = {}
        for line in lines:
            try:
                entry = json.loads(line)
                known[entry['file']] = entry
            except (ValueError, KeyError, TypeError):
                pass  # the line that was being written
        return known

    def _open(self) -> TextIO:
        if self._file is None:
            # A new file without the broken line, if there is one.
            self._file = self.path.open('w')
            lines = [self._job, *map(json.dumps, self._known.values())]
            self._file.write('\n'.join(lines) + '\n')
        return self._file


def _state(file: str) -> list[int] | None:
    """Size and time of change; None for what is no local file."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]

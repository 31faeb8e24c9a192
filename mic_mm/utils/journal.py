# Copyright (c) mic_mm authors. All rights reserved.
"""Results of long work on files, kept to go on after an interruption."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Optional, TextIO


class Journal:
    """Results on disk by key, each with the state of the files it is from.

    A line of JSON for each result, after one that tells what was asked for.
    Results of another job, or of files that have changed since, are not used.

    Args:
        path (Path): The file.
        job (dict): What the results depend on besides the files.
    """

    def __init__(self, path: Path, job: dict[str, Any]) -> None:
        self.path = path
        self._job = json.dumps(job, sort_keys=True)
        self._known = self._read()
        self._file: Optional[TextIO] = None

    def get(self, key: str, state: Any) -> Any:
        """The result of a key; None if it is unknown or the state differs."""
        entry = self._known.get(key)
        if entry is None or entry['state'] != state:
            return None
        return entry['result']

    def add(self, key: str, state: Any, result: Any) -> None:
        """Write down a result, at once."""
        file = self._open()
        entry = dict(key=key, state=state, result=result)
        self._known[key] = entry
        file.write(_line(entry))
        file.flush()

    def close(self, remove: bool) -> None:
        """End; without ``remove`` the next journal finds the results.

        A journal that is left says that something is missing, also where it
        has no result.
        """
        if not remove:
            self._open()
        if self._file is not None:
            self._file.close()
            self._file = None
        if remove:
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
                known[entry['key']] = entry
            except (ValueError, KeyError, TypeError):
                pass  # the line that was being written
        return known

    def _open(self) -> TextIO:
        if self._file is None:
            # A new file without the broken line, if there is one.
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open('w')
            self._file.write(self._job + '\n')
            self._file.writelines(map(_line, self._known.values()))
        return self._file


def file_state(path: str | Path) -> Optional[list[int]]:
    """Size and time of change; None for what is no local file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _line(entry: dict) -> str:
    return json.dumps(entry) + '\n'

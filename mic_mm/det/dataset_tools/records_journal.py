# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Optional, TextIO

from .records import AnnotatedImage, ImageRecord


class RecordsJournal:
    """Records on disk, to go on after an interruption.

    A line of JSON for each image, after one that tells what was asked for.
    Records of another job, or of files that have changed since, are not used.

    Args:
        path (Path): The journal.
        job (dict): What the records depend on besides the files.
    """

    def __init__(self, path: Path, job: dict) -> None:
        self.path = path
        self._job = json.dumps(job, sort_keys=True)
        self._known = self._read()
        self._file: Optional[TextIO] = None

    def known(self, item: AnnotatedImage) -> Optional[ImageRecord]:
        """The record of an image; None if its files have to be read."""
        entry = self._known.get(str(item.annotation))
        if entry is None or entry['state'] != _state(item):
            return None
        return ImageRecord.from_json(entry['record'])

    def add(self, item: AnnotatedImage, record: ImageRecord) -> None:
        """Write down a record."""
        entry = dict(
            file=str(item.annotation),
            state=_state(item),
            record=record.to_json())
        self._open().write(json.dumps(entry) + '\n')
        self._file.flush()

    def close(self, remove: bool) -> None:
        """End; without ``remove`` the next call finds the records.

        A journal that is left says that something is missing, also where it
        has no record.
        """
        if not remove:
            self._open()
        if self._file is not None:
            self._file.close()
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
                known[entry['file']] = entry
            except (ValueError, KeyError, TypeError):
                pass  # the line that was being written
        return known

    def _open(self) -> TextIO:
        if self._file is None:
            # A new file without the broken line, if there is one.
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open('w')
            lines = [self._job, *map(json.dumps, self._known.values())]
            self._file.write('\n'.join(lines) + '\n')
        return self._file


def _state(item: AnnotatedImage) -> list:
    """Changes when a file does."""
    states = []
    for path in (item.annotation, item.image):
        try:
            status = os.stat(path)
        except OSError:
            states.append(None)
        else:
            states.append([status.st_size, status.st_mtime_ns])
    return states

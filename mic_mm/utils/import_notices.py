# Copyright (c) mic_mm authors. All rights reserved.
"""Notices of the libraries about extras of theirs that nothing here needs."""
from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

# The onedl-* distributions print these when they are imported, by mmengine's
# print_log without a logger, which knows no levels.
_PRINTED = ('Could not import OneDL',
            'Could not import OneDL. Skipping OneDL datasets.')
# A metric of MMDetection that no config here names.
_WARNED = 'faster_coco_eval is not installed'


@contextmanager
def without_import_notices() -> Iterator[None]:
    """Import without the notices that data sets of OneDL and faster_coco_eval are missing.

    Everything else that is printed or warned of comes through.
    """
    with warnings.catch_warnings(), redirect_stdout(_WithoutNotices(sys.stdout)):
        warnings.filterwarnings('ignore', message=_WARNED)
        yield


class _WithoutNotices:
    """The given stream, but for lines that are notices.

    It passes on at once, since a logger that is made meanwhile keeps it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left_out = False

    def write(self, text: str) -> int:
        # print() writes the end of the line on its own.
        end_of_notice = self._left_out and text == '\n'
        self._left_out = text in _PRINTED
        if self._left_out or end_of_notice:
            return len(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

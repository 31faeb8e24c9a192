# Copyright (c) mic_mm authors. All rights reserved.
"""Work on many files, in the order of the files, with a progress bar."""
from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import cv2
from mmengine.utils import ProgressBar

Item = TypeVar('Item')
Result = TypeVar('Result')

# Items handed to a worker at a time.
_CHUNK = 4
# Without a terminal a line is printed after each tenth of the work.
_LINES = 10


def default_processes() -> int:
    """Number of processes if none is asked for: one per core, 8 at most."""
    return min(8, len(os.sched_getaffinity(0)))


def run_in_order(function: Callable[[Item], Result], items: Sequence[Item],
                 processes: int, title: str) -> Iterator[Result]:
    """Apply a function to items; the results come in the order of the items.

    Args:
        function (Callable): What to do; has to be picklable.
        items (Sequence): What to do it with.
        processes (int): 1 does the work in this process.
        title (str): What is done, for the progress bar.
    """
    if not items:
        return
    if processes < 2 or len(items) < 2:
        yield from track(map(function, items), len(items), title)
        return
    with multiprocessing.Pool(processes, _initialize) as pool:
        results = pool.imap(function, items, _CHUNK)
        yield from track(results, len(items), title)


def track(results: Iterable[Result],
          total: int,
          title: str,
          lines: int = _LINES) -> Iterator[Result]:
    """Iterate with a progress bar, or with lines where there is no terminal.

    Args:
        results (Iterable): What to iterate over.
        total (int): Their number.
        title (str): What they are.
        lines (int): Number of lines without a terminal, at most. Defaults
            to 10; fewer for work of a moment.
    """
    if sys.stdout.isatty():
        print(title)
        bar = ProgressBar(total)
        for result in results:
            yield result
            bar.update()
        print()
        return
    started = time.time()
    step = max(1, -(-total // lines))
    for done, result in enumerate(results, 1):
        yield result
        if done % step == 0 or done == total:
            print(
                f'{title}: {done}/{total} after {time.time() - started:.1f} s',
                flush=True)


def _initialize() -> None:
    # Ctrl-C is for the main process, which ends the pool.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)

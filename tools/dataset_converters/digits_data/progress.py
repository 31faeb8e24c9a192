# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import sys
import time
from typing import Iterator, Sequence

from mmengine.utils import ProgressBar


def track(items: Sequence, title: str) -> Iterator:
    """Iterate with a progress bar, or with one line where there is no TTY.

    Args:
        items (Sequence): What to iterate over.
        title (str): What the items are.
    """
    if not sys.stdout.isatty():
        started = time.time()
        yield from items
        print(f'{title}: {len(items)} written in '
              f'{time.time() - started:.1f} s', flush=True)
        return
    print(title)
    bar = ProgressBar(len(items))
    for item in items:
        yield item
        bar.update()
    print()

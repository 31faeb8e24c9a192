# Copyright (c) mic_mm authors. All rights reserved.
"""The digits benchmark with a few canvases, for tests of what reads it."""
from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

# Enough for batches of two; the scans of classification are all written.
CANVASES = {
    'optdigits': dict(train=6, val=3),
    'mnist5k': dict(train=6, val=3, test=4),
}


def write_few_digits(converters: Path, folder: Path,
                     tasks: Sequence[str]) -> Path:
    """Write ``folder/data/digits``.

    Args:
        converters (Path): The folder ``tools/dataset_converters``.
        folder (Path): Where a run starts.
        tasks (Sequence[str]): Of ``'cls'``, ``'seg'``, ``'det'``.

    Returns:
        Path: ``folder``.
    """
    with mock.patch.object(sys, 'path', [str(converters), *sys.path]):
        digits = importlib.import_module('digits_data')
    with mock.patch.object(digits.writers, 'CANVASES', CANVASES):
        for task in tasks:
            digits.build_task(task, folder / 'data' / 'digits')
    return folder

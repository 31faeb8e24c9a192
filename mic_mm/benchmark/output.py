# Copyright (c) mic_mm authors. All rights reserved.
"""Where the numbers of a measurement go, and on which machine they were made."""
from __future__ import annotations

import argparse
import json
import os
import platform
import re
from pathlib import Path
from typing import Any

import cv2
import torch

from mic_mm.utils import cli
from mic_mm.version import __version__


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument(
        '--json', metavar='FILE', help='also write the numbers to this file')


def check_json(path: str | None) -> None:
    """Refuse a file that cannot be written, before anything is measured.

    Raises:
        UsageError: If its folder does not exist, or it is a folder.
    """
    if path and not Path(path).absolute().parent.is_dir():
        raise cli.UsageError(f'--json {path}: there is no such folder.')
    if path and Path(path).is_dir():
        raise cli.UsageError(f'--json {path}: this is a folder. Name a file '
                             'in it, e.g. numbers.json.')


def write_json(result: dict, path: str) -> None:
    """Write the numbers to a file."""
    Path(path).write_text(json.dumps(result, indent=1) + '\n')


def machine(device: str = 'cpu') -> dict[str, Any]:
    """What a measurement depends on besides the code."""
    is_cuda = torch.device(device).type == 'cuda'
    return dict(
        device=torch.cuda.get_device_name(device) if is_cuda else device,
        cpu=_cpu_name(),
        cpus=os.cpu_count(),
        threads=torch.get_num_threads(),
        load=os.getloadavg(),
        python=platform.python_version(),
        torch=torch.__version__,
        opencv=cv2.__version__,
        mic_mm=__version__)


def _cpu_name() -> str:
    about = Path('/proc/cpuinfo')  # Linux
    text = about.read_text() if about.is_file() else ''
    found = re.search(r'^model name\s*:\s*(.+)$', text, re.M)
    return found[1] if found else platform.processor()

# Copyright (c) mic_mm authors. All rights reserved.
"""What the data set converters share on the command line."""
from __future__ import annotations

import argparse
from pathlib import Path

from .parallel import default_processes


def converter_parser(description: str, epilog: str,
                     force_help: str) -> argparse.ArgumentParser:
    """A parser of the options that all converters have.

    Args:
        description (str): What the converter does.
        epilog (str): What becomes of interrupted work and broken files.
        force_help (str): What ``--force`` does again.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, help='folder of the data set')
    parser.add_argument(
        '--nproc',
        type=int,
        default=default_processes(),
        help='number of processes (default: %(default)s)')
    parser.add_argument('--force', action='store_true', help=force_help)
    return parser


def add_decode_images(parser: argparse.ArgumentParser) -> None:
    """Add ``--decode-images``."""
    parser.add_argument(
        '--decode-images',
        action='store_true',
        help='decode each image to find broken ones (slow), instead of '
        'reading its size only')

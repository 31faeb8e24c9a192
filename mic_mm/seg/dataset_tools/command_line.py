# Copyright (c) mic_mm authors. All rights reserved.
"""What the converters of the street scenes share on the command line."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mic_mm.utils.converter_options import add_decode_images, converter_parser
from mic_mm.utils.parallel import run_in_order

from .label_conversion import LabelConversion, LabelFiles
from .outcome import Outcome, report, statistics_of

EPILOG = ('Complete files of an earlier call are kept, so an interrupted '
          'conversion goes on where it was. Unreadable files and images of '
          'another size than their labels are named at the end and left out '
          'of the class statistics; the exit code is then 1.')


def make_parser(description: str) -> argparse.ArgumentParser:
    """The options that all converters have."""
    parser = converter_parser(description, EPILOG,
                              'convert complete files again')
    add_decode_images(parser)
    return parser


def convert(args: argparse.Namespace, files: Sequence[LabelFiles],
            ids: Mapping[int, int], read: Callable[[Path], np.ndarray],
            title: str) -> list[Outcome]:
    """Convert label maps as told by the command line."""
    conversion = LabelConversion(ids, read, args.force, args.decode_images)
    return list(run_in_order(conversion, files, args.nproc, title))


def find_flat(root: Path, labels: str, images: str) -> list[LabelFiles]:
    """Label maps of a flat folder, named by digits, and their images.

    Raises:
        FileNotFoundError: If there are none, or no folder of images.
    """
    found = sorted(
        path for path in Path(root, labels).glob('*.png')
        if path.stem.isdecimal())
    if not found:
        raise FileNotFoundError(
            f'There are no label maps {Path(root, labels)}/<digits>.png. '
            'Give the folder that holds '
            f'{labels} and {images} as root.')
    check_images(Path(root, images))
    return [
        LabelFiles(path, Path(root, images, path.name),
                   path.with_name(f'{path.stem}_labelTrainIds.png'))
        for path in found
    ]


def check_images(folder: Path) -> None:
    """Refuse to convert labels whose images are not there at all.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f'There is no folder {folder}. Unpack the images beside the '
            'labels: pairs are checked, and counted for rare class sampling.')


def convert_flat(args: argparse.Namespace, labels: str, images: str,
                 ids: Mapping[int, int],
                 read: Callable[[Path], np.ndarray]) -> int:
    """Convert a flat folder and write its class statistics.

    Returns:
        int: Exit code.
    """
    files = find_flat(args.root, labels, images)
    outcomes = convert(args, files, ids, read, f'{args.root}')
    statistics_of(outcomes).write(args.root)
    return report(outcomes, 'converted')

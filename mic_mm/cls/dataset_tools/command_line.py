# Copyright (c) mic_mm authors. All rights reserved.
"""What the converters of the classification benchmarks share."""
from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from mic_mm.utils.converter_options import converter_parser

from .class_folders import check_same_classes, find_folder, find_samples
from .image_check import ImageCheck
from .list_files import report, write_list

LIST_FOLDER = 'image_list'
JOURNAL = '.checked_images.journal'
EPILOG = ('Images that cannot be decoded are named at the end and left out; '
          'the exit code is then 1. An interrupted check goes on where it '
          'was.')


def make_parser(description: str) -> argparse.ArgumentParser:
    """The options that all converters have."""
    return converter_parser(description, EPILOG,
                            'decode images again that were checked before')


def convert_folders(args: argparse.Namespace, classes: Sequence[str],
                    domains: Mapping[str, Sequence[str]]) -> int:
    """Write a list file for each domain.

    Args:
        args (argparse.Namespace): Of :func:`make_parser`.
        classes (Sequence[str]): Names of the classes, in their order.
        domains (Mapping[str, Sequence[str]]): For each domain the places,
            below the root, where its class folders may be.

    Returns:
        int: Exit code.

    Raises:
        FileNotFoundError: If a domain is missing.
        ValueError: If class folders differ between domains or are empty.
            Nothing is written then.
    """
    folders = {
        name: find_folder(args.root, places)
        for name, places in domains.items()
    }
    check_same_classes(folders, classes)
    samples = {
        name: find_samples(args.root, folder, classes)
        for name, folder in folders.items()
    }
    check = make_check(args)
    written, unreadable = {}, {}
    for name, found in samples.items():
        bad = check.unreadable([s.path for s in found], name)
        path = args.root / LIST_FOLDER / f'{name}.txt'
        good = [s for s in found if s.path not in bad]
        write_list(path, good)
        written[path] = len(good)
        unreadable.update(bad)
    return report(written, unreadable)


def make_check(args: argparse.Namespace) -> ImageCheck:
    """The check that the command line asks for."""
    return ImageCheck(args.root, args.root / LIST_FOLDER / JOURNAL,
                      args.nproc, args.force)

# Copyright (c) mic_mm authors. All rights reserved.
"""From annotated images to a COCO file."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mic_mm.utils.converter_options import add_decode_images, converter_parser
from mic_mm.utils.journal import Journal, file_state
from mic_mm.utils.parallel import run_in_order

from .coco_file import is_written, write_coco
from .records import AnnotatedImage, ImageRecord

EPILOG = ('A complete file is kept, and an interrupted conversion goes on '
          'where it was. Images and annotations that cannot be read are named '
          'at the end and left out; the exit code is then 1, and the next '
          'call tries these again.')
NO_BOXES = ('images have no box (trained on only if '
            'filter_cfg.filter_empty_gt=False)')


def make_parser(description: str) -> argparse.ArgumentParser:
    """The options that all converters have."""
    parser = converter_parser(description, EPILOG,
                              'convert again what is complete')
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of the COCO files (default: ROOT/annotations)')
    add_decode_images(parser)
    return parser


@dataclass(frozen=True)
class _Attempt:
    """Reads an item; what is wrong with it is told, not raised."""

    read: Callable[[AnnotatedImage], ImageRecord]

    def __call__(self, item: AnnotatedImage) -> ImageRecord | str:
        try:
            return self.read(item)
        # Whatever is wrong with a file, the others are to be converted.
        except FileNotFoundError as error:
            return f'{error.filename} does not exist'
        except Exception as error:
            return f'cannot be used: {error}'


def convert(args: argparse.Namespace, items: Sequence[AnnotatedImage],
            read: Any, path: Path,
            job: dict) -> int:
    """Write the COCO file of some images.

    Args:
        args (Namespace): Of :func:`make_parser`.
        items (Sequence[AnnotatedImage]): Images, in the order of the result.
        read (Callable): Reads one, with ``categories()``; picklable.
        path (Path): The COCO file.
        job (dict): What is asked for. A file of another job is replaced.

    Returns:
        int: Exit code: 0 if every image is in the file.
    """
    journal = Journal(path.with_name(f'.{path.name}.journal'), job)
    if args.force:
        journal.close(remove=True)
        journal = Journal(journal.path, job)
    elif is_written(path, job) and not journal.path.is_file():
        print(f'{path}: complete, nothing to do')
        return 0
    records, problems = _read_all(args, items, read, journal, path.name)
    write_coco(path, list(records.values()), read.categories(), job)
    journal.close(remove=not problems)
    return _report(path, records, problems)


def _read_all(args: argparse.Namespace, items: Sequence[AnnotatedImage],
              read: Callable, journal: Journal,
              title: str) -> tuple[dict, dict]:
    """Records and problems of the items."""
    known = {item: _known(journal, item) for item in items}
    new = [item for item in items if known[item] is None]
    problems = {}
    results = run_in_order(_Attempt(read), new, args.nproc, title)
    # Strict asks for the end, where the progress is finished.
    for item, result in zip(new, results, strict=True):
        if isinstance(result, str):
            problems[item] = result
        else:
            known[item] = result
            journal.add(
                str(item.annotation), _state(item), result.to_json())
    records = {i: r for i, r in known.items() if r is not None}
    return records, problems


def _known(journal: Journal, item: AnnotatedImage) -> Optional[ImageRecord]:
    record = journal.get(str(item.annotation), _state(item))
    return None if record is None else ImageRecord.from_json(record)


def _state(item: AnnotatedImage) -> list:
    return [file_state(item.annotation), file_state(item.image)]


def _report(path: Path, records: dict, problems: dict) -> int:
    for item, reason in problems.items():
        print(f'{item.annotation}: {reason}', file=sys.stderr)
    boxes = sum(len(r.objects) for r in records.values())
    left_out = sum(r.left_out for r in records.values())
    empty = sum(not r.objects for r in records.values())
    print(f'{path}: {len(records)} images, {boxes} boxes; {left_out} objects '
          f'left out by the rules; {empty} {NO_BOXES}')
    if problems:
        print(f'{len(problems)} images were left out (named above)')
    return 1 if problems else 0


def find_names(images: Path, image_suffix: str, annotations: Path,
               annotation_suffix: str) -> list[str]:
    """Names of what has an image or an annotation, without the suffixes.

    One without the other is no reason to pass over it in silence.

    Args:
        images (Path): Folder of the cities of a split.
        image_suffix (str): End of the names of its images.
        annotations (Path): Folder of the same cities.
        annotation_suffix (str): End of the names of its annotations.

    Raises:
        FileNotFoundError: If there is no image.
    """
    names = [
        {path.relative_to(folder).as_posix().removesuffix(suffix)
         for path in folder.glob(f'*/*{suffix}')}
        for folder, suffix in ((images, image_suffix),
                               (annotations, annotation_suffix))
    ]
    if not names[0]:
        raise FileNotFoundError(
            f'There are no images {images}/<city>/*{image_suffix}. Give the '
            'folder into which the archives were extracted.')
    return sorted(names[0] | names[1])


def find_annotated(root: Path, folders: Sequence[str], annotations: str,
                   image: str) -> list[AnnotatedImage]:
    """Annotation files and their images, by name.

    Args:
        root (Path): Folder of the data set.
        folders (Sequence[str]): Where in it to look; the first that has
            annotations counts.
        annotations (str): Their pattern in a folder.
        image (str): Path of an image there, with ``{}`` for its name.

    Raises:
        FileNotFoundError: If there are none.
    """
    for folder in (root / name for name in folders):
        found = sorted(folder.glob(annotations))
        if found:
            return [_annotated(folder / image.format(p.stem), p) for p in found]
    raise FileNotFoundError(
        f'There are no annotations {root / folders[0] / annotations}. Give '
        'the folder into which the archives were extracted.')


def _annotated(image: Path, annotation: Path) -> AnnotatedImage:
    return AnnotatedImage(image, annotation, image.name)

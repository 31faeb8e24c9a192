# Copyright (c) mic_mm authors. All rights reserved.
"""Folders of images of one's own with boxes in a COCO file."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mic_mm.utils.new_config.domain_facts import (
    DomainFacts,
    FolderOptions,
    find_images,
    image_sizes,
    refuse,
)

from ..datasets.annotation_checks import check_categories, problems, read_annotations
from .coco_file import write_coco
from .records import ImageRecord, image_size


def check_domain(domain: str, images: Path, labels: Optional[Path],
                 options: FolderOptions) -> DomainFacts:
    """Look at a folder of images and, if given, at their COCO file.

    Args:
        domain (str): ``'source'``, ``'target'`` or ``'val'``.
        images (Path): The images.
        labels (Path, optional): The COCO file.
        options (FolderOptions): See there.

    Raises:
        FileNotFoundError: If there are no images, or no file.
        ValueError: Naming what cannot be used.
    """
    paths = find_images(images, domain, options.image_suffix)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if labels is None:
        sizes = image_sizes(paths, domain, options.decode, options.processes)
    else:
        content = read_annotations(labels, f'{labels} (--{domain}-labels)')
        classes = options.classes or tuple(
            category['name'] for category in content['categories'])
        check_categories(content, classes, str(labels))
        found, paths = paths, _listed(domain, images, content)
        sizes = image_sizes(paths, domain, options.decode, options.processes)
        _compare_sizes(domain, content, sizes)
        notes = _notes(domain, content, classes, set(found) - set(paths))
    return DomainFacts.of(images, labels, sizes, classes=classes,
                          image_suffix=options.image_suffix, notes=notes)


def write_unlabelled(images: Path, path: Path, classes: Sequence[str],
                     image_suffix: str = '') -> None:
    """Write a COCO file that lists the images of a folder, without boxes.

    MMDetection has no data set of a plain folder.

    Args:
        images (Path): The folder.
        path (Path): The COCO file.
        classes (Sequence[str]): Names of the classes of the source.
        image_suffix (str): End of the names of images. Defaults to '', any
            image.
    """
    records = []
    for file in find_images(images, 'target', image_suffix):
        width, height = image_size(file)
        records.append(
            ImageRecord(file.relative_to(images).as_posix(), width, height))
    write_coco(
        path, records,
        [dict(id=i, name=name) for i, name in enumerate(classes, 1)],
        dict(description='images without annotations'))


def _listed(domain: str, images: Path, content: dict) -> list[Path]:
    paths = [images / image['file_name'] for image in content['images']]
    refuse([str(path) for path in paths if not path.is_file()],
           f'--{domain}-labels: listed images that do not exist',
           f'The names in the file are relative to --{domain}.')
    return paths


def _compare_sizes(domain: str, content: dict, sizes: Sequence) -> None:
    wrong = [
        f'{image["file_name"]}: {image.get("height")}x{image.get("width")} '
        f'in the file, {size[0]}x{size[1]} in truth (height x width)'
        for image, size in zip(content['images'], sizes)
        if (image.get('height'), image.get('width')) != tuple(size)
    ]
    refuse(wrong, f'--{domain}-labels: images of another size than annotated',
           'Were the images scaled, or turned by their EXIF orientation?')


def _notes(domain: str, content: dict, classes: Sequence[str],
           unlisted: set[Path]) -> tuple[str, ...]:
    left_out = Counter(kind for kind, _ in problems(content))
    notes = [
        _counted(count, 'annotation') + f' with {kind}, left out'
        for kind, count in left_out.items()
    ]
    unused = [c['name'] for c in content['categories'] if c['name'] not in classes]
    if unused:
        notes.append(f'boxes of {", ".join(unused)}, which --classes leaves out')
    crowds = sum(bool(a.get('iscrowd')) for a in content['annotations'])
    if crowds:
        notes.append(_counted(crowds, 'crowd box', 'es') + ', not trained on')
    with_boxes = {a['image_id'] for a in content['annotations']}
    empty = sum(i['id'] not in with_boxes for i in content['images'])
    if empty:
        notes.append(_counted(empty, 'image') + ' without a box')
    if unlisted:
        notes.append(
            _counted(len(unlisted), 'image') + ' of the folder not listed in '
            f'the COCO file, left out; the first is {min(unlisted).name}')
    return tuple(f'{domain}: {note}' for note in notes)


def _counted(count: int, noun: str, plural: str = 's') -> str:
    return f'{count} {noun}{plural if count > 1 else ""}'

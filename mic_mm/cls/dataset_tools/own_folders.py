# Copyright (c) mic_mm authors. All rights reserved.
"""Folders of images of one's own, one folder per class."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

from mic_mm.utils.new_config.domain_facts import (
    DomainFacts,
    FolderOptions,
    find_images,
    image_sizes,
    refuse,
)
from mic_mm.utils.pictures import is_hidden

from .class_folders import check_same_classes, class_names, find_samples
from .list_files import parse_list


def check_domain(domain: str, images: Path, labels: Optional[Path],
                 options: FolderOptions) -> DomainFacts:
    """Look at a folder of images.

    Args:
        domain (str): ``'source'``, ``'target'`` or ``'val'``; images of the
            target may lie anywhere below the folder, those of the others in
            a folder for each class.
        images (Path): The images.
        labels (Path, optional): A list, `<path> <label>` on each line, in
            the place of class folders.
        options (FolderOptions): See there.

    Raises:
        FileNotFoundError: If there are no images, or listed ones are missing.
        ValueError: Naming what cannot be used.
    """
    paths = [
        path for path in find_images(images, domain, options.image_suffix)
        if not is_hidden(path.relative_to(images))
    ]
    classes: tuple[str, ...] = ()
    if labels is not None:
        classes, paths = _listed(domain, images, labels, options.classes)
    elif domain != 'target':
        classes, paths = _in_folders(domain, images, options.classes)
    sizes = image_sizes(paths, domain, options.decode, options.processes)
    return DomainFacts.of(images, labels, sizes, classes=classes)


def _in_folders(domain: str, images: Path,
                classes: tuple) -> tuple[tuple, list[Path]]:
    found = classes or tuple(class_names(images))
    if len(found) < 2:
        raise ValueError(
            f'--{domain}: {images} has {len(found)} class folders. Put the '
            'images of each class into a folder of its own, or give a list '
            f'with --{domain}-labels.')
    check_same_classes({domain: images}, found)
    samples = find_samples(images, images, found)
    return found, [images / sample.path for sample in samples]


def _listed(domain: str, images: Path, labels: Path,
            classes: tuple) -> tuple[tuple, list[Path]]:
    place = f'--{domain}-labels'
    if not labels.is_file():
        raise FileNotFoundError(f'{place}: there is no file {labels}.')
    samples = parse_list(labels)
    if not samples:
        raise ValueError(f'{place}: {labels} is empty.')
    refuse([s.path for s in samples if not (images / s.path).is_file()],
           f'{place}: listed images that are not in {images}',
           f'Paths are relative to --{domain}.')
    last = max(sample.label for sample in samples)
    found = classes or tuple(f'class_{i}' for i in range(last + 1))
    if last >= len(found):
        raise ValueError(f'{place}: {labels} has the label {last}, but there '
                         f'are {len(found)} classes, from 0. Correct '
                         '--classes or --num-classes.')
    return found, [images / sample.path for sample in samples]

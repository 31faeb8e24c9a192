# Copyright (c) mic_mm authors. All rights reserved.
"""Folders of images and label maps of one's own."""
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
    look_at,
    refuse,
)
from mic_mm.utils.pictures import IMAGE_SUFFIXES

from ..datasets.label_ids import IGNORE_INDEX
from .label_readers import read_index_image
from .outcome import Outcome, count_classes


def check_domain(domain: str, images: Path, labels: Optional[Path],
                 options: FolderOptions) -> DomainFacts:
    """Look at a folder of images and, if given, that of their label maps.

    Args:
        domain (str): ``'source'``, ``'target'`` or ``'val'``.
        images (Path): The images.
        labels (Path, optional): Label maps: grey values or indices of a
            palette, named like the images.
        options (FolderOptions): See there.

    Raises:
        FileNotFoundError: If there are no images or label maps.
        ValueError: Naming the files that cannot be used.
    """
    paths = find_images(images, domain, options.image_suffix)
    suffix = options.image_suffix or _one_extension(paths, domain)
    sizes = image_sizes(paths, domain, options.decode, options.processes)
    if labels is None:
        return DomainFacts.of(images, None, sizes, image_suffix=suffix)
    stems = [
        path.relative_to(images).as_posix().removesuffix(suffix)
        for path in paths
    ]
    end = options.label_suffix or _label_suffix(labels, stems, domain)
    maps = [labels / f'{stem}{end}' for stem in stems]
    classes, notes = _check_maps(domain, maps, sizes, options)
    return DomainFacts.of(
        images,
        labels,
        sizes,
        image_suffix=suffix,
        label_suffix=end,
        classes=classes,
        notes=notes)


def _one_extension(paths: Sequence[Path], domain: str) -> str:
    found = Counter(path.suffix for path in paths)
    if len(found) > 1:
        raise ValueError(
            f'--{domain}: the images end in {dict(found)}, but a data set of '
            'MMSegmentation has one suffix. Convert them, or choose one with '
            '--image-suffix.')
    return next(iter(found))


def _label_suffix(labels: Path, stems: Sequence[str], domain: str) -> str:
    """What follows the name of the first image in that of its label map."""
    stem = stems[0]
    found = sorted((path.relative_to(labels).as_posix().removeprefix(stem)
                    for path in labels.rglob('*')
                    if path.suffix.lower() in IMAGE_SUFFIXES and path.
                    relative_to(labels).as_posix().startswith(stem)),
                   key=len)
    if not found:
        raise FileNotFoundError(
            f'--{domain}-labels: {labels} has no label map for the image '
            f'{stem!r}. Name label maps like their images, or give '
            '--image-suffix and --label-suffix, the parts of the names in '
            'which they differ.')
    return found[0]


def _check_maps(domain: str, maps: Sequence[Path], sizes: Sequence[tuple],
                options: FolderOptions) -> tuple[tuple, tuple]:
    """Names of the classes, and what is worth knowing."""
    looked = look_at(_count, list(zip(maps, sizes)), options.processes,
                     f'{domain} label maps')
    place = f'--{domain}-labels'
    refuse([f'{o.file}: {o.problem}' for o in looked if o.problem],
           f'{place}: label maps cannot be used',
           'A label map holds the index of the class of each pixel, counted '
           f'from 0; {IGNORE_INDEX} is ignored.')
    pixels = sum((Counter(o.counts) for o in looked), Counter())
    if not pixels:
        raise ValueError(f'{place}: no pixel has a class; all are '
                         f'{IGNORE_INDEX} (ignored).')
    classes = options.classes or tuple(f'class_{i}'
                                       for i in range(max(pixels) + 1))
    last = len(classes) - 1
    outside = [(o.file, [v for v in sorted(o.counts) if v > last])
               for o in looked]
    refuse([f'{file}: {values}' for file, values in outside if values],
           f'{place}: values that are no class, 0 to {last}',
           f'Set them to {IGNORE_INDEX} to ignore them, or correct '
           '--classes or --num-classes.')
    absent = [name for i, name in enumerate(classes) if i not in pixels]
    note = f'{domain}: no pixel of {", ".join(absent)}'
    return classes, (note, ) if absent else ()


def _count(item: tuple[Path, tuple[int, int]]) -> Outcome:
    path, size = item
    try:
        labels = read_index_image(path)
    except FileNotFoundError:
        return Outcome(str(path), problem='does not exist, but its image does')
    # Decoders raise many types; the other files are to be looked at, too.
    except Exception as error:
        return Outcome(str(path), problem=str(error))
    if labels.shape != tuple(size):
        return Outcome(
            str(path),
            problem=f'is {labels.shape[0]}x{labels.shape[1]} (height x '
            f'width), but its image is {size[0]}x{size[1]}')
    return Outcome(str(path), count_classes(labels, IGNORE_INDEX))

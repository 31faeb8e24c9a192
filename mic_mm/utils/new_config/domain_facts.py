# Copyright (c) mic_mm authors. All rights reserved.
"""What is known of the images of a domain after they were looked at."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Optional

from PIL import Image

from mic_mm.engine.data.corrupt_images import why_unreadable

from ..parallel import run_in_order
from ..pictures import IMAGE_SUFFIXES

_SHOWN = 5
# Fewer are looked at within a moment.
_MANY = 2000
# Tag of EXIF, and its values for images stored on their side. OpenCV, which
# loads them for training, turns them.
_ORIENTATION, _ON_THE_SIDE = 0x0112, (5, 6, 7, 8)


@dataclass(frozen=True)
class DomainFacts:
    """A folder of images that training can use.

    Attributes:
        images (str): The folder.
        labels (str, optional): Label maps, annotation file or list; None
            where the images say it (class folders) or have none.
        count (int): Number of images.
        smallest (tuple): Least height and least width.
        largest (tuple): Greatest height and greatest width.
        classes (tuple): Names of the classes; empty without labels.
        image_suffix (str): End of the names of the images.
        label_suffix (str): End of the names of the label maps.
        notes (tuple): What is worth knowing, and no error.
    """

    images: str
    labels: Optional[str]
    count: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    classes: tuple[str, ...] = ()
    image_suffix: str = ''
    label_suffix: str = ''
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, images: Path, labels: Optional[Path],
           sizes: Sequence[tuple[int, int]], **others: Any) -> DomainFacts:
        """The facts of images of these sizes.

        Args:
            images (Path): The folder.
            labels (Path, optional): What labels them.
            sizes (Sequence[tuple[int, int]]): Height and width of each.
            **others: Further attributes.
        """
        heights, widths = zip(*sizes)
        return cls(
            images=images.as_posix(),
            labels=None if labels is None else labels.as_posix(),
            count=len(sizes),
            smallest=(min(heights), min(widths)),
            largest=(max(heights), max(widths)),
            **others)

    @property
    def sizes(self) -> str:
        """Height x width of the images, in words."""
        smallest, largest = ('x'.join(map(str, size))
                             for size in (self.smallest, self.largest))
        if smallest == largest:
            return f'{smallest} pixels'
        return f'{smallest} to {largest} pixels'


@dataclass(frozen=True)
class FolderOptions:
    """How to look at folders, as asked for on the command line.

    Attributes:
        classes (tuple): Names of the classes; empty: by what is found.
        image_suffix (str): End of the names of images; '': the extension.
        label_suffix (str): End of the names of label maps; '': as found.
        decode (bool): Decode the images.
        processes (int): Number of processes.
    """

    classes: tuple[str, ...] = ()
    image_suffix: str = ''
    label_suffix: str = ''
    decode: bool = True
    processes: int = 1


def find_images(folder: Path, domain: str, suffix: str = '') -> list[Path]:
    """All images in a folder and below, sorted.

    Args:
        folder (Path): The folder.
        domain (str): Option that named it, for messages.
        suffix (str): End of their names, in this case, as data sets of
            MMSegmentation look for it. Defaults to '', any image format.

    Raises:
        FileNotFoundError: If there is no folder, or no image in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'--{domain}: there is no folder {folder}. '
                                'Give the folder that holds the images.')
    ends = (suffix, ) if suffix else IMAGE_SUFFIXES
    found = sorted(
        path for path in folder.rglob('*')
        if (path.name if suffix else path.name.lower()).endswith(tuple(ends))
        and not path.name.startswith('.'))
    if not found:
        raise FileNotFoundError(
            f'--{domain}: {folder} has no file that ends in '
            f'{" or ".join(ends)}. Give the folder of the images' +
            (', or correct --image-suffix.' if suffix else '.'))
    return found


def image_sizes(paths: Sequence[Path], domain: str, decode: bool = True,
                processes: int = 1) -> list[tuple[int, int]]:
    """Height and width of each image, as training loads it.

    Args:
        paths (Sequence[Path]): The images.
        domain (str): Option that named them, for messages.
        decode (bool): Decode them, rather than read their headers. Defaults
            to True, which finds files that are cut off.
        processes (int): Number of processes. Defaults to 1.

    Raises:
        ValueError: Naming the images that cannot be read.
    """
    looked = look_at(
        partial(_look, decode=decode), paths, processes, f'{domain} images')
    problems = [
        f'{path}: {found}' for path, found in zip(paths, looked)
        if isinstance(found, str)
    ]
    refuse(problems, f'--{domain}: images cannot be read',
           'Repair or remove them.')
    return looked


def look_at(function: Callable, items: Sequence, processes: int,
            title: str) -> list:
    """Apply a function to items, with a progress bar if there are many."""
    if len(items) < _MANY:
        return list(map(function, items))
    return list(run_in_order(function, items, processes, title))


def refuse(problems: Sequence[str], what: str, remedy: str) -> None:
    """Raise if there are problems, naming the first ones.

    Raises:
        ValueError: With the number of problems, some of them and the remedy.
    """
    if problems:
        shown = '\n  '.join(problems[:_SHOWN])
        more = len(problems) - _SHOWN
        raise ValueError(f'{what} ({len(problems)}):\n  {shown}' +
                         (f'\n  and {more} more' if more > 0 else '') +
                         f'\n{remedy}')


def _look(path: Path, decode: bool) -> tuple[int, int] | str:
    reason = why_unreadable(path) if decode else None
    if reason is not None:
        return reason
    try:
        with Image.open(path) as image:
            if image.getexif().get(_ORIENTATION) in _ON_THE_SIDE:
                return image.width, image.height
            return image.height, image.width
    except OSError as error:
        return str(error)

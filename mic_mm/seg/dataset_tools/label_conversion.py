# Copyright (c) mic_mm authors. All rights reserved.
"""Conversion of published label maps to indices of classes."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..datasets.label_ids import IGNORE_INDEX, to_train_ids
from .image_size import size_problem
from .label_readers import read_index_image
from .outcome import Outcome, count_classes


@dataclass(frozen=True)
class LabelFiles:
    """A published label map, its image, and where the class indices go."""

    label: Path
    image: Path
    output: Path


@dataclass(frozen=True)
class LabelConversion:
    """Writes the class indices of label maps beside them.

    An output is written under another name first, so it is complete or not
    there; what is there already is read, counted and kept.

    A label map of another size than its image is converted, since it may be
    of use, and is reported as a problem.

    Attributes:
        ids (dict): Table from ids to classes (:mod:`label_ids`).
        read (Callable): Reads a published label map as ids, by its path.
        force (bool): Write again what is complete. Defaults to False.
        decode_images (bool): Decode images, rather than read their headers.
            Defaults to False.
    """

    ids: Mapping[int, int]
    read: Callable[[Path], np.ndarray]
    force: bool = False
    decode_images: bool = False

    def __call__(self, files: LabelFiles) -> Outcome:
        """Convert one label map; problems are told in the outcome."""
        file = str(files.output)
        train_ids = None if self.force else _read_complete(files.output)
        is_new = train_ids is None
        if is_new:
            try:
                train_ids = to_train_ids(self.read(files.label), self.ids)
            # Whatever is wrong with a file, the others are to be converted.
            except Exception as error:
                return Outcome(
                    str(files.label), problem=f'cannot be used: {error}')
            _write(train_ids, files.output)
        problem = size_problem(train_ids.shape, files.image,
                               self.decode_images)
        counts = count_classes(train_ids, IGNORE_INDEX)
        return Outcome(file, counts, problem, is_new)


def _read_complete(path: Path) -> np.ndarray | None:
    """Class indices that were written before; None if they are not usable."""
    try:
        return read_index_image(path)
    except (OSError, ValueError, SyntaxError):
        return None


def _write(train_ids: np.ndarray, path: Path) -> None:
    part = path.with_name(f'{path.name}.part')
    Image.fromarray(train_ids).save(part, format='PNG')
    part.replace(path)

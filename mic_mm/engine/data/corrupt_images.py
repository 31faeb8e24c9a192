# Copyright (c) mic_mm authors. All rights reserved.
"""Images that cannot be decoded, met in the middle of a training."""
from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from PIL import Image

_PATH_KEYS = ('img_path', 'seg_map_path')


class CorruptImages:
    """Counts the corrupt images of a dataset and tolerates a few.

    The count is shared by the workers of a data loader.  Each process of a
    distributed run, and a resumed run, counts for itself.

    Args:
        domain (str): ``'source'`` or ``'target'``, for messages.
        length (int): Number of images of the dataset.
        limit (int): How many corrupt images are tolerated.
    """

    def __init__(self, domain: str, length: int, limit: int) -> None:
        self.domain = domain
        self.limit = limit
        # One flag per image in shared memory; nothing to share with limit 0.
        self._found = torch.zeros(length if limit else 0, dtype=torch.uint8)
        self._found.share_memory_()

    def handle(self, error: Exception, dataset: Any, item: int) -> None:
        """Warn if a corrupt file is what failed, else raise ``error`` again.

        Args:
            error (Exception): What loading the item raised.
            dataset (Dataset): The dataset.
            item (int): Index of the image.

        Raises:
            OSError: If there are more corrupt images than tolerated.
            Exception: ``error``, if the files of the item are fine.
        """
        path, reason = _find_corrupt(dataset, item)
        if path is None:
            raise error
        if not self.limit:
            raise OSError(f'{self._sentence(path, reason)} Repair or remove '
                          f'it, or {self._option(1)}.') from error
        is_new = not self._found[item]
        self._found[item] = 1
        count = int(self._found.sum())
        if count > self.limit:
            raise OSError(
                f'{self._sentence(path, reason)} It is corrupt image number '
                f'{count} of the {self.domain}, and train_dataloader.dataset.'
                f'max_corrupt={self.limit}. Check the data; if so many may be '
                f'corrupt, raise max_corrupt.') from error
        if is_new:
            print_log(
                f'{self._sentence(path, reason)} Another image takes its '
                f'place ({count} of max_corrupt={self.limit}).',
                logger='current',
                level=logging.WARNING)

    def _sentence(self, path: Path, reason: str) -> str:
        return f'The {self.domain} image {path} cannot be read ({reason}).'

    @staticmethod
    def _option(count: int) -> str:
        return (f'set train_dataloader.dataset.max_corrupt={count} to skip '
                'up to that many images per domain')


def why_unreadable(path: Path) -> Optional[str]:
    """Why an image file cannot be decoded; None if it can.

    Args:
        path (Path): A local file.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # decoders raise many types, even SyntaxError
        return f'{type(error).__name__}: {error}'
    return None


def _find_corrupt(dataset: Any, item: int) -> tuple:
    """First unreadable file of an item and the reason, or (None, None)."""
    for path in _files(dataset, item):
        reason = why_unreadable(path)
        if reason is not None:
            return path, reason
    return None, None


def _files(dataset: Any, item: int) -> Iterator[Path]:
    if not hasattr(dataset, 'get_data_info'):
        return
    info = dataset.get_data_info(item)
    for key in _PATH_KEYS:
        path = info.get(key)
        if isinstance(path, str) and '://' not in path:
            yield Path(path)

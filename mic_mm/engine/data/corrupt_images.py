# Copyright (c) mic_mm authors. All rights reserved.
"""Images that cannot be decoded, met in the middle of a training."""
from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from PIL import Image

_PATH_KEYS = ('img_path', 'seg_map_path')
# Flags per image: files are told apart by a hash, which should not collide.
_FLAGS = 16


class CorruptImageError(OSError):
    """A file that cannot be decoded.

    Args:
        path (str): The file.
        reason (str): What the decoder says.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f'{path} cannot be read ({reason}).')
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple:
        # Crosses from a worker of the data loader.
        return type(self), (self.path, self.reason)


class CorruptImages:
    """Counts the corrupt files of a dataset and tolerates a few.

    The count is shared by the workers of a data loader.  Each process of a
    distributed run, and a resumed run, counts for itself.

    Args:
        domain (str): ``'source'`` or ``'target'``, for messages.
        length (int): Number of images of the dataset.
        limit (int): How many corrupt files are tolerated.
    """

    def __init__(self, domain: str, length: int, limit: int) -> None:
        self.domain = domain
        self.limit = limit
        # In shared memory; there is nothing to share with limit 0.
        self._found = torch.zeros(
            _FLAGS * length if limit else 0, dtype=torch.uint8)
        self._found.share_memory_()

    def handle(self, error: CorruptImageError) -> None:
        """Warn of a corrupt file.

        Args:
            error (CorruptImageError): What loading an image raised.

        Raises:
            OSError: If there are more corrupt files than tolerated;
                FileNotFoundError if none is and this one does not exist.
        """
        what = (f'The {self.domain} image {error.path} cannot be read '
                f'({error.reason}).')
        if not self.limit:
            kind = OSError if Path(error.path).exists() else FileNotFoundError
            raise kind(
                f'{what} Repair or remove it, or set '
                'train_dataloader.dataset.max_corrupt=1 to skip up to that '
                'many images per domain.') from error
        flag = zlib.crc32(error.path.encode()) % len(self._found)
        is_new = not self._found[flag]
        self._found[flag] = 1
        count = int(self._found.sum())
        if count > self.limit:
            raise OSError(
                f'{what} It is corrupt image number {count} of the '
                f'{self.domain}, and train_dataloader.dataset.max_corrupt='
                f'{self.limit}. Check the data; if so many may be corrupt, '
                'raise max_corrupt.') from error
        if is_new:
            print_log(
                f'{what} Another image takes its place ({count} of '
                f'max_corrupt={self.limit}).',
                logger='current',
                level=logging.WARNING)


@contextmanager
def naming_corrupt_files(
        info: Callable[[], Optional[dict]]) -> Iterator[None]:
    """Raise :class:`CorruptImageError` where a file is why loading fails.

    Args:
        info (Callable): Gives what the dataset knows of the image, with
            ``img_path`` and maybe ``seg_map_path``, or None. Called after a
            failure only: a dataset unpickles it.

    Raises:
        CorruptImageError: If one of these local files cannot be decoded.
        Exception: What was raised, if the files are fine.
    """
    try:
        yield
    except CorruptImageError:
        raise
    except Exception as error:
        known = info() or {}
        for key in _PATH_KEYS:
            path = known.get(key)
            if isinstance(path, str) and '://' not in path:
                reason = why_unreadable(path)
                if reason is not None:
                    raise CorruptImageError(path, reason) from error
        raise


def why_unreadable(path: Any) -> Optional[str]:
    """Why an image file cannot be decoded; None if it can.

    Args:
        path (str | Path): A local file.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # decoders raise many types, even SyntaxError
        return f'{type(error).__name__}: {error}'
    return None

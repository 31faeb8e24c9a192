# Copyright (c) mic_mm authors. All rights reserved.
"""Finds the labelled dataset of a config."""
from __future__ import annotations

import os.path as osp
from typing import Any, Optional

from mmengine.config import Config

# What a dataset may be wrapped in, and the key of what is wrapped.
_WRAPPERS = ('source', 'dataset')
_PLACES = ('dataset', 'train_dataloader.dataset')


def find_dataset(cfg: Config, key: Optional[str] = None) -> tuple[dict, str]:
    """The config of the labelled dataset, and the folder of its statistics.

    Args:
        cfg (Config): The whole config.
        key (str, optional): Where the dataset is, e.g. ``source_train``.
            Defaults to None: ``dataset``, else ``train_dataloader.dataset``.

    Returns:
        tuple[dict, str]: Wrappers (pairs of domains, rare class sampling,
        repetition) are taken off. The folder is that of rare class sampling
        if it states one, else ``data_root``.

    Raises:
        KeyError: If there is no such dataset.
    """
    places = [key] if key else _PLACES
    dataset = next(filter(None, (_get(cfg, place) for place in places)), None)
    if not isinstance(dataset, dict) or 'type' not in dataset:
        raise KeyError(
            f'The config has no dataset at {" or ".join(places)}. Give its '
            'place with --dataset, e.g. --dataset source_train.')
    folder = None
    while wrapped := next(
        (dataset[name] for name in _WRAPPERS if name in dataset), None):
        folder = dataset.get('statistics') or folder
        dataset = wrapped
    folder = folder or dataset.get('data_root') or '.'
    if osp.splitext(folder)[1] == '.json':
        folder = osp.dirname(folder)
    return dict(dataset), folder


def _get(cfg: Any, place: str) -> Any:
    for name in place.split('.'):
        cfg = cfg.get(name) if isinstance(cfg, (dict, Config)) else None
    return cfg

# Copyright (c) mic_mm authors. All rights reserved.
"""How fast a training pipeline is, against what no pipeline can do without."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import torch
from mmengine.config import ConfigDict

from mic_mm.engine.data import DomainPairDataset, PairIndex
from mic_mm.engine.data.random_state import seeded_random_state
from mic_mm.registry import DATASETS

from .data_pipeline_floor import DecodingFloor, pipeline_of
from .timing import Seconds, take_turns

_DOMAINS = ('source', 'target')


def measure_pipelines(cfg: ConfigDict, samples: int) -> dict[str, Any]:
    """Measure the pipelines of both domains and of pairs.

    Args:
        cfg (ConfigDict): ``train_dataloader.dataset`` of a config, whose
            default scope is that of the caller.
        samples (int): How many items of each are measured.

    Returns:
        dict: For ``source``, ``target`` and ``pair`` the medians of the
        pipeline's seconds and of the floor's, samples per second, and the
        ratio, that of CPU seconds too.
    """
    check_paired(cfg)
    dataset = DATASETS.build(cfg)
    with one_thread():
        seconds = take_turns(
            _functions(dataset, cfg), samples, synchronize=lambda: None)
    return {name: _result(name, seconds) for name in (*_DOMAINS, 'pair')}


def check_paired(cfg: ConfigDict) -> None:
    """Refuse a dataset of one domain.

    Raises:
        ValueError: If it is one.
    """
    missing = [domain for domain in _DOMAINS if domain not in cfg]
    if missing:
        raise ValueError(
            f"train_dataloader.dataset is a {cfg.get('type')} without "
            f'{missing}, but pairs of images are measured: choose a config '
            'with mic_mm.DomainPairDataset.')


def _functions(dataset: DomainPairDataset,
               cfg: ConfigDict) -> dict[str, Callable[[Any], Any]]:
    floors = {
        domain: DecodingFloor(
            getattr(dataset, domain), pipeline_of(cfg[domain]))
        for domain in _DOMAINS
    }

    def load(domain: str, item: int) -> Any:
        images = getattr(dataset, domain)
        with seeded_random_state(item):
            return images[item % len(images)]

    def load_pair(item: int) -> Any:
        return dataset[PairIndex(item % len(dataset.source),
                                 item % len(dataset.target), item, 0)]

    def decode_pair(item: int) -> None:
        for floor in floors.values():
            floor(item)

    functions: dict[str, Callable[[Any], Any]] = {}
    for domain in _DOMAINS:
        functions[domain] = _counted(lambda item, d=domain: load(d, item))
        functions[f'{domain}_floor'] = _counted(floors[domain])
    functions['pair'] = _counted(load_pair)
    functions['pair_floor'] = _counted(decode_pair)
    return functions


def _counted(function: Callable[[int], Any]) -> Callable[[Any], Any]:
    """Call it with 0, 1, 2, ..."""
    items = itertools.count()
    return lambda _: function(next(items))


def _result(name: str, seconds: dict[str, Seconds]) -> dict[str, Any]:
    ours, floor = seconds[name], seconds[f'{name}_floor']
    return dict(
        pipeline=ours.summary(),
        floor=floor.summary(),
        samples_per_second=1 / ours.summary()['wall'],
        ratio=ours.ratio_to(floor))


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV and PyTorch work on one thread, as in a worker of a loader."""
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])

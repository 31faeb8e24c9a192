# Copyright (c) mic_mm authors. All rights reserved.
"""Data and metrics of mic_mm by their relatives in the libraries.

An exported network of the libraries' own parts shall run where mic_mm is not
installed.  What its config still has of mic_mm are data sets and metrics that
refine the libraries' with checks and further numbers.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from mmengine.config import Config, ConfigDict

from mic_mm.registry import DATASETS

from .pictures import IMAGE_SUFFIXES

PREFIX = 'mic_mm.'
_REMOVED = ('CheckLabels', 'PseudoBoxMetric')
# type -> type of the library, options that it does not have
_RELATIVES = {
    'DomainCocoDataset': ('CocoDataset', ()),
    'DomainCocoMetric': ('CocoMetric', ('per_class', )),
    'DomainIoUMetric': ('IoUMetric', ('per_class', 'class_subsets')),
    'PerClassAccuracy': ('Accuracy', ('per_class', 'draw')),
}
_CLASSIFICATION = ('ClassificationDataset', 'Office31', 'OfficeHome',
                   'VisDA2017')


def is_own(value: Any) -> bool:
    """Whether a value of a config is a type of mic_mm."""
    return isinstance(value, str) and value.startswith(PREFIX)


def values(part: Any) -> Iterator[Any]:
    """All values of a config that are neither dict nor list."""
    if isinstance(part, dict):
        for value in part.values():
            yield from values(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from values(value)
    else:
        yield part


def with_stock_types(cfg: Config) -> Config:
    """A copy in which data and metrics are the libraries'.

    Types without a relative stay, as do data sets whose labels would mean
    something else.

    Args:
        cfg (Config): A plain config. It is not changed.
    """
    cfg = cfg.copy()
    for key in ('val', 'test'):
        for part in (f'{key}_dataloader', f'{key}_evaluator'):
            if cfg.get(part) is not None:
                cfg[part] = _stock(cfg[part])
    if cfg.get('test_pipeline') is not None:
        cfg.test_pipeline = _stock(cfg.test_pipeline)
    return cfg


def _stock(part: Any) -> Any:
    if isinstance(part, (list, tuple)):
        # Resize tells a scale by its being a tuple.
        return type(part)(_stock(item) for item in part if not _is_removed(item))
    if not isinstance(part, dict):
        return part
    replaced = ConfigDict({key: _stock(value) for key, value in part.items()})
    name = _own_name(replaced)
    if name in _RELATIVES:
        replaced.type, options = _RELATIVES[name]
        for option in options:
            replaced.pop(option, None)
    elif name in _CLASSIFICATION and _means_the_same(replaced):
        replaced.metainfo = _classes(replaced)
        replaced.type = 'CustomDataset'
        replaced.setdefault('extensions', IMAGE_SUFFIXES)
        replaced.pop('allow_empty_classes', None)
    return replaced


def _own_name(part: dict) -> Optional[str]:
    kind = part.get('type')
    return kind.removeprefix(PREFIX) if is_own(kind) else None


def _is_removed(item: Any) -> bool:
    return isinstance(item, dict) and _own_name(item) in _REMOVED


def _means_the_same(dataset: ConfigDict) -> bool:
    """Whether the labels do; MMPretrain numbers folders by the alphabet."""
    classes = list(_classes(dataset).get('classes') or ())
    return bool(dataset.get('ann_file')) or classes == sorted(classes)


def _classes(dataset: ConfigDict) -> dict:
    known = getattr(DATASETS.get(dataset.type), 'METAINFO', {})
    return {**known, **(dataset.get('metainfo') or {})}

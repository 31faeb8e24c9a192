# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from mic_mm.core.draws import seed_from
from mic_mm.registry import DATASETS

from .corrupt_images import CorruptImageError, CorruptImages, naming_corrupt_files
from .dataset_checks import check_classes, check_images, explain_build_error
from .ground_truth import without_ground_truth
from .pair_index import PairIndex
from .random_state import seeded_random_state

DOMAINS = ('source', 'target')


@DATASETS.register_module()
class DomainPairDataset(Dataset):
    """A labelled source and an unlabelled target dataset.

    An item is ``{'source': packed, 'target': packed}``, where ``packed`` is
    what the pipeline of the domain returns.  Whatever labels the target's
    pipeline has loaded are removed here, before they can reach the model.
    With MMEngine's ``pseudo_collate`` a batch is

    .. code-block:: none

        {'source': {'inputs': [...], 'data_samples': [...]},
         'target': {'inputs': [...], 'data_samples': [...]}}

    The pipelines draw their random numbers from generators that are seeded
    by seed, domain and position of the pair, so the augmentation of a pair
    depends neither on the number of workers or processes nor on resuming.

    Use it with :class:`DomainPairSampler`.

    Args:
        source (dict | Dataset): Config of the source dataset, of any type of
            any OpenMMLab library, or the dataset itself.
        target (dict | Dataset): The same for the target.
        keep_target_fields (Sequence[str]): Fields of the target's data
            samples that are no labels and reach the model. Defaults to
            ``('pseudo_label_valid', )``, a map of the pixels whose
            pseudo-labels may be trusted.
        max_refetch (int): How often another image is tried when a pipeline
            returns None, for datasets that do not do it themselves. Defaults
            to 100.
        max_corrupt (int): How many images (or label maps) of each domain may
            turn out to be unreadable. Each is named in a warning and another
            one takes its place, which again depends on nothing but seed,
            domain and position of the pair. Each process counts for itself,
            and a resumed run from 0. Defaults to 0: the first one is an
            error, because damaged data should be known of.

    Raises:
        FileNotFoundError: If a path of a config does not exist.
        ValueError: If a domain has no images, the classes of the domains
            differ, a ground truth is to be kept, or ``max_corrupt`` is
            negative.
    """

    def __init__(self,
                 source: Union[dict, Dataset],
                 target: Union[dict, Dataset],
                 keep_target_fields: Sequence[str] = ('pseudo_label_valid', ),
                 max_refetch: int = 100,
                 max_corrupt: int = 0) -> None:
        if max_corrupt < 0:
            raise ValueError(f'DomainPairDataset: max_corrupt={max_corrupt} '
                             'is negative. Give the number of corrupt images '
                             'to tolerate, 0 for none.')
        labels = [name for name in keep_target_fields if name.startswith('gt')]
        if labels:
            raise ValueError(f'DomainPairDataset: keep_target_fields={labels} '
                             'would train on target labels. To do so on '
                             'purpose (an oracle), use the target dataset as '
                             'source.')
        self.keep_target_fields = tuple(keep_target_fields)
        self.max_refetch = max_refetch
        self.source = _build(source, 'source')
        self.target = _build(target, 'target')
        check_classes(
            _metainfo(self.source).get('classes'),
            _metainfo(self.target).get('classes'))
        _warn_of_label_filter(self.target)
        self._corrupt = {
            domain: CorruptImages(domain, len(getattr(self, domain)),
                                  max_corrupt)
            for domain in DOMAINS
        }

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine's runner calls it."""

    @property
    def metainfo(self) -> dict:
        """Meta information of the source, which has the labels."""
        return _metainfo(self.source)

    def __len__(self) -> int:
        """Number of source images."""
        return len(self.source)

    def __getitem__(self, index: PairIndex) -> dict[str, dict]:
        """Load a pair.

        Raises:
            TypeError: If ``index`` is not a :class:`PairIndex`.
        """
        if not isinstance(index, PairIndex):
            raise TypeError(
                f'DomainPairDataset is indexed by pairs, but got {index!r}. '
                'Set train_dataloader.sampler=dict(type='
                "'mic_mm.DomainPairSampler').")
        return {
            'source':
            self._fetch('source', index),
            'target':
            without_ground_truth(
                self._fetch('target', index), self.keep_target_fields)
        }

    def _fetch(self, domain: str, index: PairIndex) -> dict:
        dataset = getattr(self, domain)
        item = getattr(index, domain)
        seed = seed_from(index.seed, domain, index.position)
        with seeded_random_state(seed):
            for _ in range(self.max_refetch + 1):
                packed = self._load(domain, item)
                if packed is not None:
                    return packed
                item = np.random.randint(len(dataset))
        raise RuntimeError(
            f'The pipeline of the {domain} dataset returned None for '
            f'{self.max_refetch + 1} images in a row. Check '
            f'train_dataloader.dataset.{domain}.pipeline and its images.')

    def _load(self, domain: str, item: int) -> Optional[dict]:
        """An item, or None if it is a corrupt image that is tolerated."""
        dataset = getattr(self, domain)
        try:
            with naming_corrupt_files(lambda: _info(dataset, item)):
                return dataset[item]
        except CorruptImageError as error:
            self._corrupt[domain].handle(error)
            return None


def _info(dataset: Dataset, item: int) -> Optional[dict]:
    if not hasattr(dataset, 'get_data_info'):
        return None
    return dataset.get_data_info(item)


def _build(cfg: Union[dict, Dataset], domain: str) -> Dataset:
    try:
        dataset = cfg
        if isinstance(cfg, dict):
            dataset = DATASETS.build(copy.deepcopy(cfg))
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
    except Exception as error:
        explain_build_error(error, cfg, domain)
        raise
    if isinstance(dataset, str) or not hasattr(dataset, '__getitem__'):
        raise TypeError(f'train_dataloader.dataset.{domain} has to be the '
                        f'config of a dataset, but is {cfg!r}.')
    check_images(dataset, domain)
    return dataset


def _metainfo(dataset: Any) -> dict:
    return getattr(dataset, 'metainfo', None) or {}


def _warn_of_label_filter(target: Any) -> None:
    filter_cfg = getattr(target, 'filter_cfg', None) or {}
    if filter_cfg.get('filter_empty_gt'):
        print_log(
            'filter_empty_gt=True in train_dataloader.dataset.target '
            'chooses the target images by their annotations. Remove it from '
            'filter_cfg to use all of them.',
            logger='current',
            level=logging.WARNING)

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
import logging
from typing import Any, Optional, Union

import numpy as np
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from torch.utils.data import Dataset

from mic_mm.core.draws import RandomDraws
from mic_mm.engine.data.corrupt_images import naming_corrupt_files
from mic_mm.engine.transforms.numpy_draws import NumpyDraws
from mic_mm.registry import DATASETS

from .class_statistics import ClassStatistics
from .label_map_index import LabelMapIndex
from .rare_classes import RareClasses, redraw_until_enough
from .staged_pipeline import StagedPipeline

_SHOWN = 3


@DATASETS.register_module()
class RareClassSampling(Dataset):
    r"""Shows images with rare classes more often (DAFormer, sec. 3.2).

    For each item a class is drawn, rare ones with a higher probability
    (:func:`class_probabilities`), then uniformly one of the images that have
    more than ``min_pixels`` pixels of it, and a crop of it.  Until a crop
    has more than ``min_pixels * min_crop_ratio`` pixels of the class,
    another one is drawn, ``max_redraws`` times at most.  The index is
    ignored.

    The image is decoded and resized once; the random part of the pipeline is
    repeated.  Numbers are drawn from NumPy's global generator, which
    :class:`mic_mm.DomainPairDataset` seeds by seed and position of the item:

    .. code-block:: python

        train_dataloader = dict(
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(
                type='mic_mm.DomainPairDataset',
                source=dict(
                    type='mic_mm.RareClassSampling',
                    dataset=source_train,
                    statistics='data/gta'),
                target=target_train))

    Args:
        dataset (dict | BaseSegDataset): The labelled images.
        statistics (str, optional): Folder of the class statistics, or one of
            the files; those of the original are read as they are
            (:class:`ClassStatistics`). None switches the sampling off.
        temperature (float): :math:`T` of :func:`class_probabilities`.
            Defaults to 0.01, as in DAFormer and MIC.
        min_pixels (int): Pixels of the class, at the size at which the label
            maps are stored, that an image has to exceed. Defaults to 3000, as
            in DAFormer.
        min_crop_ratio (float): Share of them that a crop has to exceed.
            Defaults to 0.5, for crops at about half the stored size. HRDA
            uses 2.0, which is the same after doubling both sides.
        max_redraws (int): Defaults to 10, as in DAFormer.
        skip_unknown_files (bool): Ignore statistics of files that are not in
            the dataset, for training on a part of a data set. Defaults to
            False, since they mostly are those of another data set.
        max_refetch (int): How often another image is tried when the pipeline
            returns None. Defaults to 100.

    Raises:
        FileNotFoundError: If there are no statistics.
        TypeError: If the dataset is none of MMSegmentation's.
        ValueError: If the statistics do not fit the dataset or the other
            arguments.
    """

    def __init__(self,
                 dataset: Union[dict, BaseSegDataset],
                 statistics: Optional[str],
                 temperature: float = 0.01,
                 min_pixels: int = 3000,
                 min_crop_ratio: float = 0.5,
                 max_redraws: int = 10,
                 skip_unknown_files: bool = False,
                 max_refetch: int = 100) -> None:
        if temperature <= 0:
            raise ValueError(f'RareClassSampling: temperature={temperature} '
                             'has to be positive.')
        self.dataset = _build(dataset)
        self.min_pixels = min_pixels
        self.min_crop_ratio = min_crop_ratio
        self.max_redraws = max_redraws
        self.max_refetch = max_refetch
        self.draws: RandomDraws = NumpyDraws()
        self.rare_classes = None
        if statistics is not None:
            known, self._images = _match(
                ClassStatistics.read(statistics), self.dataset, statistics,
                skip_unknown_files)
            self.rare_classes = RareClasses(known, temperature, min_pixels)
            self._pipeline = StagedPipeline(self.dataset.pipeline)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine's runner calls it."""

    @property
    def metainfo(self) -> dict:
        """Meta information of the dataset."""
        return self.dataset.metainfo

    def get_data_info(self, idx: int) -> dict:
        """Paths of an image and its label map."""
        return self.dataset.get_data_info(idx)

    def __len__(self) -> int:
        """Number of images of the dataset."""
        return len(self.dataset)

    def __getitem__(self, idx: int) -> dict:
        """Draw an image and a crop of it.

        Raises:
            RuntimeError: If the pipeline returns None again and again.
        """
        if self.rare_classes is None:
            return self.dataset[idx]
        for _ in range(self.max_refetch + 1):
            class_id, file = self.rare_classes.draw(self.draws)
            packed = self._load(class_id, self._images[file])
            if packed is not None:
                return packed
        raise RuntimeError(
            'RareClassSampling: the pipeline of the dataset returned None '
            f'for {self.max_refetch + 1} images in a row.')

    def _load(self, class_id: int, image: int) -> Optional[dict]:
        info = self.get_data_info(image)
        with naming_corrupt_files(lambda: info):
            loaded = self._pipeline.load(info)
        if loaded is None:
            return None

        def crop(_: int) -> tuple[Optional[dict], float]:
            results = self._pipeline.crop(loaded)
            if results is None:
                return None, np.inf
            return results, _count(results, class_id)

        results = redraw_until_enough(
            crop, self.min_pixels * self.min_crop_ratio, self.max_redraws)
        return None if results is None else self._pipeline.pack(results)


def _build(dataset: Union[dict, Any]) -> BaseSegDataset:
    if isinstance(dataset, dict):
        dataset = DATASETS.build(copy.deepcopy(dataset))
    if not isinstance(dataset, BaseSegDataset):
        raise TypeError(
            'RareClassSampling needs a BaseSegDataset of MMSegmentation, '
            f'which loads one image after the other, but got a '
            f'{type(dataset).__name__}. Wrap the dataset itself.')
    dataset.full_init()
    return dataset


def _match(statistics: ClassStatistics, dataset: BaseSegDataset, origin: str,
           skip_unknown: bool) -> tuple[ClassStatistics, dict[str, int]]:
    """The statistics of files that are in the dataset, and where they are."""
    index = LabelMapIndex(
        dataset.get_data_info(i).get('seg_map_path') or ''
        for i in range(len(dataset)))
    found = {file: index.find(file) for file in statistics.counts}
    unknown = [file for file, image in found.items() if image is None]
    images = {file: i for file, i in found.items() if i is not None}
    if unknown and not (skip_unknown and images):
        raise ValueError(
            f'The class statistics of {origin} list {len(unknown)} of '
            f'{len(found)} label maps that are not in the dataset, e.g. '
            f'{", ".join(unknown[:_SHOWN])}; the dataset has e.g. '
            f'{dataset.get_data_info(0).get("seg_map_path")}. Make the '
            'statistics of this dataset with '
            'tools/dataset_converters/class_statistics.py, or, if it is a '
            'part of the data set, set skip_unknown_files=True in '
            'RareClassSampling.')
    if len(images) < len(dataset):
        print_log(
            f'RareClassSampling: {len(dataset) - len(images)} of '
            f'{len(dataset)} images are not in the class statistics of '
            f'{origin} and are never shown.',
            logger='current',
            level=logging.WARNING)
    known = statistics.restricted_to(images)
    _check_range(known, len(dataset.metainfo.get('classes', ())), origin)
    return known, images


def _check_range(statistics: ClassStatistics, num_classes: int,
                 origin: str) -> None:
    outside = sorted(c for c in statistics.totals()
                     if num_classes and not 0 <= c < num_classes)
    if outside:
        raise ValueError(
            f'The class statistics of {origin} have the classes {outside}, '
            f'but the dataset has the classes 0 to {num_classes - 1}. Make '
            'the statistics with the classes, label map and '
            'reduce_zero_label of this dataset.')


def _count(results: dict, class_id: int) -> int:
    if 'gt_seg_map' not in results:
        raise ValueError(
            'RareClassSampling: the pipeline of the dataset loads no labels. '
            "Add dict(type='LoadAnnotations') behind LoadImageFromFile.")
    return int(np.count_nonzero(results['gt_seg_map'] == class_id))

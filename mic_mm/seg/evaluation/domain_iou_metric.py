# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional, Union

import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.evaluation import IoUMetric

from mic_mm.registry import METRICS

Classes = Sequence[Union[int, str]]


@METRICS.register_module()
class DomainIoUMetric(IoUMetric):
    r"""Intersection over union of all classes, of each, and of subsets.

    .. math::
        \mathrm{IoU}_c = \frac{\sum_i |P_{i,c} \cap G_{i,c}|}
                              {\sum_i |P_{i,c} \cup G_{i,c}|},
        \qquad \mathrm{mIoU}_S = \frac{1}{|S|} \sum_{c \in S} \mathrm{IoU}_c

    over all images :math:`i`.  Of each image only the areas of its classes
    are kept.  A subset is a protocol of a data set with fewer classes; all of
    them come out of one run:

    .. code-block:: python

        val_evaluator = dict(
            type='mic_mm.DomainIoUMetric',
            class_subsets=dict(
                mIoU16=[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15, 17,
                        18]))

    It logs what ``IoUMetric`` of MMSegmentation does (``aAcc``, ``mIoU``,
    ``mAcc``, in percent, and the table of all classes), then each subset
    under its name and ``IoU.<class>`` of each class.  Classes that occur
    neither in the labels nor in the predictions have no IoU and are left
    out.  The predictions of a subset are those among *all* classes, as in
    the protocols of SYNTHIA.

    Args:
        class_subsets (dict, optional): Names or indices of the classes of
            each subset, by the name it is logged under. Defaults to None.
        per_class (bool): Whether to log the IoU of each class. Defaults to
            True.
        **kwargs: See ``IoUMetric``.

    Raises:
        ValueError: If a subset is empty, or its name is taken.
    """

    def __init__(self,
                 class_subsets: Optional[Mapping[str, Classes]] = None,
                 per_class: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.class_subsets = {k: list(v)
                              for k, v in (class_subsets or {}).items()}
        self.per_class = per_class
        for name, classes in self.class_subsets.items():
            if not classes or name in ('aAcc', 'mIoU', 'mAcc'):
                raise ValueError(
                    f'DomainIoUMetric: class_subsets[{name!r}]={classes}. A '
                    'subset needs at least one class and a name other than '
                    'aAcc, mIoU and mAcc.')
        if 'mIoU' not in self.metrics:
            raise ValueError(f'DomainIoUMetric: iou_metrics={self.metrics} '
                             "has to contain 'mIoU'.")

    @BaseMetric.dataset_meta.setter
    def dataset_meta(self, dataset_meta: Optional[dict]) -> None:
        """Set the classes; refuses subsets of other classes."""
        self._dataset_meta = dataset_meta
        names = list((dataset_meta or {}).get('classes', ()))
        if names:
            for subset in self.class_subsets:
                self._indices(subset, names)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Add the areas of a batch of predictions.

        Raises:
            ValueError: If a prediction has another size than its labels.
        """
        if not self.format_only:
            for sample in data_samples:
                _check_size(sample)
        super().process(data_batch, data_samples)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Scores in percent, from the areas of all images."""
        if self.format_only:
            return super().compute_metrics(results)
        # Areas of a data set exceed what float32 adds exactly.
        results = [tuple(area.double() for area in image) for image in results]
        metrics = super().compute_metrics(results)
        iou = self._iou(results)
        names = list(self.dataset_meta['classes'])
        for subset in self.class_subsets:
            subset_iou = iou[self._indices(subset, names)]
            metrics[subset] = round(float(np.nanmean(subset_iou)), 2)
        if self.per_class:
            metrics.update({
                f'IoU.{name}': round(float(value), 2)
                for name, value in zip(names, iou) if not np.isnan(value)
            })
        return metrics

    def _iou(self, results: list) -> np.ndarray:
        """IoU of each class in percent; NaN where there is none."""
        totals = [sum(areas) for areas in zip(*results)]
        iou = self.total_area_to_metrics(*totals, metrics=['mIoU'],
                                         nan_to_num=self.nan_to_num)['IoU']
        return iou * 100

    def _indices(self, subset: str, names: list[str]) -> list[int]:
        indices = []
        for entry in self.class_subsets[subset]:
            known = entry in names or entry in range(len(names))
            if not known:
                raise ValueError(
                    f'DomainIoUMetric: class_subsets[{subset!r}] has the '
                    f'class {entry!r}; the dataset has the classes {names}, '
                    'to be given by name or index from 0.')
            index = names.index(entry) if entry in names else int(entry)
            indices.append(index)
        return indices


def _check_size(sample: dict) -> None:
    prediction, labels = (
        tuple(sample[name]['data'].shape[-2:])
        for name in ('pred_sem_seg', 'gt_sem_seg'))
    if prediction != labels:
        raise ValueError(
            f'The prediction for {sample.get("img_path")} is {prediction} '
            f'(height, width), its label map {labels}. Both have the size of '
            'the stored image if LoadAnnotations comes behind Resize in the '
            'test pipeline, and the two files have one size.')

# Copyright (c) mic_mm authors. All rights reserved.
"""Accuracy of each class and their mean."""
from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub, print_log
from mmengine.visualization import Visualizer

from mic_mm.registry import METRICS

from .confusion_matrix import class_recalls, confusion_matrix
from .confusion_matrix_figure import draw_confusion_matrix


@METRICS.register_module()
class PerClassAccuracy(BaseMetric):
    r"""Top-1 accuracy, the accuracy of each class, and their mean.

    .. math::
        \mathrm{top1} = \frac{\sum_c m_{cc}}{\sum_{cj} m_{cj}}, \qquad
        \mathrm{mean} = \frac1C \sum_c \frac{m_{cc}}{\sum_j m_{cj}}

    with the confusion matrix :math:`m`, rows being true classes.  ``mean`` is
    the number reported for VisDA-2017, ``top1`` the one for Office-Home.
    Logged in percent as ``class_accuracy/top1``, ``class_accuracy/mean`` and
    ``class_accuracy/<class>``.  Where a class has no image its accuracy and
    the mean are NaN, as in the original.

    Args:
        per_class (bool): Log the accuracy of each class. Defaults to True.
        draw (bool): Give a figure of the confusion matrix to the runner's
            visualizer, which writes it to
            ``<work_dir>/<timestamp>/vis_data/vis_image/``. Defaults to False,
            because it is a picture for each validation.
        collect_device (str): ``'cpu'`` or ``'gpu'``, where results of the
            processes are collected. Defaults to ``'cpu'``.
        prefix (str, optional): Replaces ``class_accuracy``. Defaults to None.
    """

    default_prefix = 'class_accuracy'

    def __init__(self,
                 per_class: bool = True,
                 draw: bool = False,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.per_class = per_class
        self.draw = draw

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep label and prediction of each image.

        Raises:
            ValueError: If an image has no label.
        """
        for sample in data_samples:
            if 'gt_label' not in sample:
                raise ValueError(
                    'mic_mm.PerClassAccuracy needs the label of each image, '
                    'but a data sample has none. Check with_label and '
                    'ann_file of val_dataloader.dataset (or '
                    'test_dataloader.dataset).')
            if 'pred_score' in sample:
                scores = sample['pred_score'].cpu()
                classes, prediction = len(scores), int(scores.argmax())
            else:
                classes, prediction = 0, int(sample['pred_label'])
            self.results.append((int(sample['gt_label']), prediction, classes))

    def compute_metrics(self, results: list) -> dict:
        """Metrics of all images, in percent."""
        labels, predictions, scores = torch.tensor(results).unbind(dim=1)
        classes = self._class_names(
            int(max(scores.max(), labels.max() + 1, predictions.max() + 1)))
        matrix = confusion_matrix(labels, predictions, len(classes))
        if self.draw:
            self._draw(matrix, classes)
        recalls = 100 * class_recalls(matrix)
        _warn_of_absent(recalls, classes)
        metrics = dict(
            top1=float(100 * matrix.diagonal().sum() / matrix.sum()),
            mean=float(recalls.mean()))
        if self.per_class:
            metrics.update(zip(classes, recalls.tolist()))
        return metrics

    def _class_names(self, num_classes: int) -> list[str]:
        classes = (self.dataset_meta or {}).get('classes')
        return list(classes or map(str, range(num_classes)))

    def _draw(self, matrix: torch.Tensor, classes: Sequence[str]) -> None:
        if not Visualizer._instance_dict:
            return  # nobody to draw for: there is no runner
        hub = MessageHub.get_current_instance()
        step = hub.get_info('iter') if 'iter' in hub.runtime_info else 0
        Visualizer.get_current_instance().add_image(
            'confusion_matrix', draw_confusion_matrix(matrix, classes),
            step or 0)


def _warn_of_absent(recalls: torch.Tensor, classes: Sequence[str]) -> None:
    absent = [name for name, r in zip(classes, recalls) if r.isnan()]
    if absent:
        print_log(
            f'mic_mm.PerClassAccuracy: no image is labelled {absent}, so the '
            'mean over the classes is NaN.',
            logger='current',
            level=logging.WARNING)

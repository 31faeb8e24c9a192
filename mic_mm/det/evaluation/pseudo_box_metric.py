# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps
from mmengine.evaluator import BaseMetric

from mic_mm.registry import METRICS


@METRICS.register_module()
class PseudoBoxMetric(BaseMetric):
    r"""How good the boxes above a score are as pseudo-labels.

    Self-training and MIC train on the teacher's boxes with a score of at
    least :math:`\tau`.  AP says little about these few; what counts is how
    many of them are right (precision) and how many objects they cover
    (recall), since an object that is not covered is trained as background.

    A box is right if it overlaps an object of its class, that no box of a
    higher score has taken, by an IoU of at least 0.5.  Logged in percent as
    ``pseudo_boxes/precision@<tau>`` and ``pseudo_boxes/recall@<tau>``.  A
    threshold that no box reaches has no precision.

    The test pipeline has to load the annotations *behind* ``Resize``: the
    boxes are compared in pixels of the stored image.

    Args:
        thresholds (Sequence[float]): Scores. Defaults to (0.5, 0.7, 0.8,
            0.9), around the 0.8 of MIC.
        **kwargs: See MMEngine's ``BaseMetric``.
    """

    default_prefix = 'pseudo_boxes'

    def __init__(self,
                 thresholds: Sequence[float] = (0.5, 0.7, 0.8, 0.9),
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.thresholds = tuple(thresholds)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count right boxes, boxes and objects of each image."""
        for sample in data_samples:
            predicted, truth = sample['pred_instances'], sample['gt_instances']
            counts = [
                _count(predicted['bboxes'][kept], predicted['labels'][kept],
                       predicted['scores'][kept], truth['bboxes'],
                       truth['labels'])
                for kept in (predicted['scores'] >= threshold
                             for threshold in self.thresholds)
            ]
            self.results.append(np.array(counts))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Precision and recall in percent, over all images."""
        metrics = {}
        for threshold, (right, boxes, objects) in zip(self.thresholds,
                                                      sum(results)):
            if boxes:
                metrics[f'precision@{threshold}'] = 100. * right / boxes
            metrics[f'recall@{threshold}'] = 100. * right / max(objects, 1)
        return {name: round(float(v), 2) for name, v in metrics.items()}


def _count(boxes: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor,
           objects: torch.Tensor,
           classes: torch.Tensor) -> tuple[int, int, int]:
    overlaps = bbox_overlaps(boxes.cpu(), torch.as_tensor(objects).cpu())
    overlaps[labels.cpu()[:, None] != classes.cpu()[None]] = 0
    right = 0
    for index in scores.cpu().argsort(descending=True):
        row = overlaps[index]
        if len(row) and row.max() >= 0.5:
            right += 1
            overlaps[:, row.argmax()] = 0
    return right, len(boxes), len(objects)

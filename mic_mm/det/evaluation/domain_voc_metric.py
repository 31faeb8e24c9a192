# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import numpy as np
from mmdet.evaluation import VOCMetric, eval_map

from mic_mm.registry import METRICS


@METRICS.register_module()
class DomainVOCMetric(VOCMetric):
    r"""Pascal VOC evaluation that logs the average precision of each class.

    The protocol of the papers whose numbers are VOC's, e.g. on Clipart and
    Watercolor.  Boxes have inclusive corners, and with
    ``eval_mode='11points'`` (VOC 2007)

    .. math::
        \mathrm{AP}_c = \frac{1}{11} \sum_{r \in \{0, 0.1, \dots, 1\}}
                        \max_{\tilde r \ge r} p_c(\tilde r),

    with ``'area'`` (VOC 2010 and later) the area below
    :math:`\max_{\tilde r \ge r} p_c(\tilde r)`.

    ``VOCMetric`` of MMDetection prints the classes in a table only; here
    each is a metric too, ``pascal_voc/AP50.<class>`` for an overlap of 0.5.
    Values are between 0 and 1.  Classes without an object have no AP and are
    left out of the mean.

    The test pipeline has to load the annotations *behind* ``Resize``: the
    boxes are compared in pixels of the stored image.

    Args:
        per_class (bool): Whether to log the classes. Defaults to True.
        **kwargs: See ``VOCMetric``.
    """

    def __init__(self, per_class: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.per_class = per_class

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of all images."""
        metrics = super().compute_metrics(results)
        if not self.per_class or self.metric != 'mAP':
            return metrics
        annotations, boxes = zip(*results)
        for threshold in self.iou_thrs:
            metrics.update(self._class_ap(annotations, boxes, threshold))
        return metrics

    def _class_ap(self, annotations: tuple, boxes: tuple,
                  threshold: float) -> dict[str, float]:
        _, classes = eval_map(
            list(boxes),
            list(annotations),
            scale_ranges=self.scale_ranges,
            iou_thr=threshold,
            logger='silent',
            nproc=1,
            eval_mode=self.eval_mode,
            use_legacy_coordinate=True)
        name = f'AP{int(threshold * 100):02d}'
        return {
            f'{name}.{label}': round(float(np.mean(result['ap'])), 4)
            for label, result in zip(self.dataset_meta['classes'], classes)
            if np.all(result['num_gts'] > 0)
        }

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from mmdet.datasets.api_wrappers import COCOeval
from mmdet.evaluation import CocoMetric
from mmengine.evaluator import BaseMetric

from mic_mm.registry import METRICS

_STOCK_ITEMS = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
# What pycocotools says where a class has no object.
_UNDEFINED = -1


@METRICS.register_module()
class DomainCocoMetric(CocoMetric):
    r"""COCO evaluation that logs AP50 of each class.

    .. math::
        \mathrm{AP50}_c = \frac{1}{101} \sum_{r \in \{0, 0.01, \dots, 1\}}
                          \max_{\tilde r \ge r} p_c(\tilde r), \qquad
        \mathrm{AP50} = \frac1C \sum_c \mathrm{AP50}_c

    with the precision :math:`p_c` at a recall, a box being right at an
    overlap (IoU) of at least 0.5 with an object of its class.  This is the
    number of MIC, SADA and the other papers on Cityscapes to Foggy
    Cityscapes; ``bbox_mAP_50`` is its mean.

    ``CocoMetric`` of MMDetection prints AP50 of the classes in a table only.
    Here each is a metric, ``coco/AP50.<class>``, so that it is in the log
    files and may be what ``save_best`` goes by.  Values are between 0 and 1
    as those of ``CocoMetric``, which are logged beside them.  Classes without
    an object in the annotations have no AP50.  A detector without a single
    box scores 0, where ``CocoMetric`` returns nothing.

    Args:
        per_class (bool): Whether to log AP50 of each class. Defaults to True.
        **kwargs: See ``CocoMetric``.

    Raises:
        ValueError: If ``ann_file`` has not the classes of the data set, or
            other images.
    """

    def __init__(self, per_class: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.per_class = per_class

    @BaseMetric.dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict | None) -> None:
        """Set the classes; refuses an annotation file of other ones."""
        self._dataset_meta = dataset_meta
        classes = list((dataset_meta or {}).get('classes', ()))
        if self._coco_api is not None and classes:
            _check_classes(self._coco_api.dataset.get('categories', ()),
                           classes)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of all images."""
        self._check_images(results)
        metrics = super().compute_metrics(results)
        if self.format_only or 'bbox' not in self.metrics:
            return metrics
        boxes = list(self._boxes(results))
        if not boxes:
            items = self.metric_items or _STOCK_ITEMS
            metrics.update({f'bbox_{item}': 0. for item in items})
        if self.per_class:
            metrics.update(self._class_ap(boxes))
        return metrics

    def _check_images(self, results: list) -> None:
        if self._coco_api is None:
            return
        known = set(self._coco_api.get_img_ids())
        unknown = [r['img_id'] for _, r in results if r['img_id'] not in known]
        if unknown:
            raise ValueError(
                f'{len(unknown)} of {len(results)} images are not in ann_file '
                f'of the evaluator, e.g. image id {unknown[0]}. Give '
                'val_evaluator (or test_evaluator) the ann_file of its '
                'dataloader.')

    def _boxes(self, results: list) -> Iterator[dict]:
        for _, result in results:
            for box, score, label in zip(result['bboxes'], result['scores'],
                                         result['labels']):
                yield dict(
                    image_id=result['img_id'],
                    category_id=self.cat_ids[label],
                    bbox=self.xyxy2xywh(box),
                    score=float(score))

    def _class_ap(self, boxes: Sequence[dict]) -> dict[str, float]:
        """AP50 by class, of classes that have objects."""
        if not boxes:
            with_objects = {a['category_id'] for a in
                            self._coco_api.anns.values()
                            if not a.get('iscrowd', 0)}
            values = [0. if c in with_objects else None for c in self.cat_ids]
        else:
            values = self._precision(boxes)
        names = [c['name'] for c in self._coco_api.loadCats(self.cat_ids)]
        return {
            f'AP50.{name}': round(value, 4)
            for name, value in zip(names, values) if value is not None
        }

    def _precision(self, boxes: Sequence[dict]) -> list[float | None]:
        """Mean precision of each class over 101 recalls, at an IoU of 0.5."""
        coco_eval = COCOeval(self._coco_api, self._coco_api.loadRes(boxes),
                             'bbox')
        params = coco_eval.params
        params.catIds, params.imgIds = self.cat_ids, self.img_ids
        params.iouThrs = np.array([0.5])
        params.areaRng, params.areaRngLbl = params.areaRng[:1], ['all']
        params.maxDets = [max(self.proposal_nums)]
        coco_eval.evaluate()
        coco_eval.accumulate()
        # iou, recall, class, area, number of boxes
        precision = coco_eval.eval['precision'][0, :, :, 0, 0]
        return [
            None if (p == _UNDEFINED).all() else float(p.mean())
            for p in precision.T
        ]


def _check_classes(categories: Sequence[dict], classes: list[str]) -> None:
    """Refuse a file in which labels would mean something else.

    MMDetection numbers the classes in the order of the file.
    """
    names = [category['name'] for category in categories]
    missing = [name for name in classes if name not in names]
    if missing:
        raise ValueError(
            f'ann_file of the evaluator has no category {missing}, but the '
            f'categories {names}. The classes of the dataset are '
            f'{classes}: set metainfo=dict(classes=...) of the dataset, or '
            'correct the file.')
    in_file = [name for name in names if name in classes]
    if in_file != classes:
        raise ValueError(
            f'The classes of the dataset are {classes}, but ann_file of the '
            f'evaluator has them in the order {in_file}, by which '
            'MMDetection numbers them. Give metainfo=dict(classes=...) of '
            'the dataset in this order.')

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmengine.structures import InstanceData
from torch import Tensor

from mic_mm.det.geometry.inclusive_boxes import to_image_boxes
from mic_mm.registry import MODELS

from .detection_selection import select_detections


@MODELS.register_module()
class InclusiveBBoxHead(Shared2FCBBoxHead):
    """Box head that predicts as maskrcnn-benchmark does.

    Boxes are suppressed in the coordinates of the network's input, class by
    class without shifted copies; see :func:`select_detections`.  Boxes in the
    coordinates of the original image (``rescale=True``) have MMDetection's
    convention, so that its metrics take them; see :func:`to_image_boxes`.
    Boxes in those of the network's input stay inclusive, so that a teacher's
    become ground truth.

    Use it with ``mic_mm.InclusiveBoxCoder``.
    """

    def _predict_by_feat_single(self,
                                roi: Tensor,
                                cls_score: Tensor,
                                bbox_pred: Tensor,
                                img_meta: dict,
                                rescale: bool = False,
                                rcnn_test_cfg=None) -> InstanceData:
        scores = cls_score.float().softmax(-1)
        boxes = self.bbox_coder.decode(
            roi[:, 1:], bbox_pred.float(), max_shape=img_meta['img_shape'])
        if rcnn_test_cfg is None:
            # For test-time augmentation, which suppresses the boxes itself.
            results = InstanceData(bboxes=boxes, scores=scores)
        else:
            results = select_detections(
                boxes.unflatten(-1, (-1, 4)).expand(-1, self.num_classes, 4),
                scores[:, :self.num_classes], rcnn_test_cfg)
        if rescale:
            flat = results.bboxes.unflatten(-1, (-1, 4))
            results.bboxes = to_image_boxes(
                flat, img_meta['scale_factor']).flatten(-2)
        return results

# Copyright (c) mic_mm authors. All rights reserved.
import torch
from mmengine.structures import InstanceData

from mic_mm.det.geometry import InclusiveBoxCoder
from mic_mm.det.models.detection_selection import select_detections
from mic_mm.det.models.proposal_selection import (
    keep_best_of_batch,
    keep_best_of_image,
    select_of_level,
)

NMS = dict(type='nms', iou_threshold=.5, offset=1)
# far from each other
BOXES = torch.tensor([[0., 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9],
                      [60, 0, 69, 9]])


def proposals(*scores):
    count = len(scores)
    return InstanceData(bboxes=BOXES[:count], scores=torch.tensor(scores))


def test_limit_over_the_batch_takes_from_the_worse_image():
    images = [proposals(.9, .6, .8), proposals(.1, .7)]
    kept = keep_best_of_batch(images, 3)
    assert torch.allclose(kept[0].scores, torch.tensor([.9, .8]))
    assert torch.allclose(kept[1].scores, torch.tensor([.7]))
    assert [len(i) for i in keep_best_of_batch(images, 2)] == [2, 0]
    assert [len(i) for i in keep_best_of_batch(images, 99)] == [3, 2]


def test_limit_of_an_image_sorts():
    kept = keep_best_of_image(proposals(.1, .9, .5), 2)
    assert torch.allclose(kept.scores, torch.tensor([.9, .5]))
    assert len(keep_best_of_image(proposals(.1, .9, .5), -1)) == 3


def level(scores, boxes=BOXES, **cfg):
    boxes = boxes[:len(scores)]
    return select_of_level(
        torch.tensor(scores), torch.zeros(len(scores), 4), boxes,
        InclusiveBoxCoder(), (40, 80), dict(dict(nms=NMS), **cfg))


def test_level_keeps_the_best_before_and_after_suppression():
    twice = BOXES[[0, 0, 1, 2]]
    scores = [.9, .8, .7, .6]
    assert len(level(scores, twice)) == 3
    assert torch.allclose(
        level(scores, twice, nms_pre=3).scores, torch.tensor([.9, .7]))
    assert torch.allclose(
        level(scores, twice, nms_post=1).scores, torch.tensor([.9]))


def test_level_measures_boxes_inclusively():
    """A box of ten columns is ten pixels wide."""
    assert len(level([.9, .8], min_bbox_size=10)) == 2
    assert len(level([.9, .8], min_bbox_size=11)) == 0


def detections(scores, max_per_img=-1, boxes=BOXES):
    scores = torch.tensor(scores)
    each = boxes[:len(scores), None].expand(-1, scores.shape[1], 4)
    return select_detections(
        each, scores, dict(score_thr=.05, nms=NMS, max_per_img=max_per_img))


def test_detections_come_class_by_class_in_the_order_of_the_rois():
    found = detections([[.1, .9], [.3, .0], [.2, .05]])
    assert found.labels.tolist() == [0, 0, 0, 1]
    assert torch.allclose(found.scores, torch.tensor([.1, .3, .2, .9]))


def test_classes_do_not_suppress_each_other():
    same = BOXES[[0, 0]]
    found = detections([[.9, .0], [.3, .8]], boxes=same)
    assert found.labels.tolist() == [0, 1]


def test_ties_at_the_limit_are_all_kept():
    assert len(detections([[.9], [.5], [.5], [.1]], max_per_img=2)) == 3
    assert len(detections([[.9], [.5], [.4], [.1]], max_per_img=2)) == 2


def test_without_detections_the_result_is_empty():
    found = detections([[.01, .02]], max_per_img=5)
    assert found.bboxes.shape == (0, 4)
    assert found.labels.dtype == torch.long

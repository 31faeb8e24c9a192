# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData

from mic_mm.visualization import PanelStyle, draw_detections

RED, GREEN = (250, 0, 0), (0, 250, 0)
STYLE = PanelStyle(classes=('cat', 'dog'), palette=[RED, GREEN], tile_size=64)


def sample(field, label, corners, score=None):
    instances = InstanceData(
        bboxes=torch.tensor([corners]).float(), labels=torch.tensor([label]))
    if score is not None:
        instances.scores = torch.tensor([score])
    return BaseDataElement(**{field: instances})


def has(picture, color):
    return bool((picture == np.array(color)).all(axis=-1).any())


def draw(score, min_score=0.5):
    image = np.full((64, 64, 3), 90, np.uint8)
    truth = sample('gt_instances', 0, [8, 30, 40, 60])
    found = sample('pred_instances', 1, [8, 30, 40, 60], score)
    return draw_detections([image], [truth], {'student': [found]}, min_score,
                           STYLE)


def test_truth_and_boxes_of_the_network_are_drawn_in_columns():
    picture = draw(0.9)
    rows, red = np.where((picture == np.array(RED)).all(axis=-1))
    _, green = np.where((picture == np.array(GREEN)).all(axis=-1))
    assert red.max() < green.min()
    # The frame is as wide as the box.
    frame = red[rows == rows.max()]
    assert frame.max() - frame.min() == pytest.approx(32, abs=2)


def test_boxes_below_the_score_are_left_out():
    assert has(draw(0.6, min_score=0.6 - 1e-6), GREEN)
    assert not has(draw(0.6, min_score=0.7), GREEN)
    assert has(draw(0.6, min_score=0.7), RED)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match='no images'):
        draw_detections([], [], {})

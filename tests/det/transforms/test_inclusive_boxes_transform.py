# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import RandomFlip, Resize
from mmdet.structures.bbox import HorizontalBoxes

from mic_mm.registry import TRANSFORMS

# x, y, w, h of two annotations in an image of 40 x 20 pixels
ANNOTATIONS = np.array([[0., 0, 10, 5], [12, 6, 8, 14]])
WIDTH, HEIGHT = 40, 20


def sample():
    x, y, w, h = ANNOTATIONS.T
    ends = torch.tensor(np.stack([x, y, x + w, y + h], 1), dtype=torch.float32)
    return dict(
        img=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        img_shape=(HEIGHT, WIDTH),
        gt_bboxes=HorizontalBoxes(ends))


def inclusive(results):
    return TRANSFORMS.build(dict(type='mic_mm.InclusiveBoxes'))(results)


def pixels():
    x, y, w, h = ANNOTATIONS.T
    return np.stack([x, y, x + w - 1, y + h - 1], 1)


def test_a_box_ends_at_its_last_pixel():
    given = sample()
    found = inclusive(given)['gt_bboxes'].tensor.numpy()
    np.testing.assert_allclose(found, pixels())
    assert given['gt_bboxes'].tensor[0, 2] == 10, 'the input was changed'


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_scaling_and_flipping_act_on_pixels(direction):
    """Pixels are scaled, then column x becomes column W - 1 - x."""
    results = Resize(scale=(60, 30), keep_ratio=True)(sample())
    results = RandomFlip(prob=1., direction=direction)(results)
    found = inclusive(results)['gt_bboxes'].tensor.numpy()
    x1, y1, x2, y2 = 1.5 * pixels().T
    if direction != 'vertical':
        x1, x2 = 59 - x2, 59 - x1
    if direction != 'horizontal':
        y1, y2 = 29 - y2, 29 - y1
    np.testing.assert_allclose(
        found, np.stack([x1, y1, x2, y2], 1), atol=1e-5)


def test_no_boxes_are_no_problem():
    results = dict(sample(), gt_bboxes=HorizontalBoxes(torch.zeros(0, 4)))
    assert len(inclusive(results)['gt_bboxes']) == 0


def test_other_boxes_are_refused():
    with pytest.raises(TypeError, match='not HorizontalBoxes'):
        inclusive(dict(sample(), gt_bboxes=np.zeros((1, 4))))

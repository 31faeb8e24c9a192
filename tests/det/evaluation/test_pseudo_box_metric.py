# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.registry import METRICS


def sample(objects, boxes):
    """Objects are (label, x1, y1, x2, y2), boxes have a score as well."""
    objects = torch.tensor(objects).float().reshape(-1, 5)
    boxes = torch.tensor(boxes).reshape(-1, 6)
    return dict(
        gt_instances=dict(bboxes=objects[:, 1:], labels=objects[:, 0].long()),
        pred_instances=dict(
            bboxes=boxes[:, 1:5],
            scores=boxes[:, 5],
            labels=boxes[:, 0].long()))


def evaluate(samples, thresholds):
    metric = METRICS.build(
        dict(type='mic_mm.PseudoBoxMetric', thresholds=thresholds))
    metric.dataset_meta = dict(classes=('cat', 'dog'))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_boxes_above_the_score_are_counted():
    samples = [
        sample([(0, 0, 0, 20, 20), (1, 40, 40, 60, 60)],
               [(0, 0, 0, 20, 19, .9), (0, 40, 40, 60, 60, .8),
                (1, 40, 40, 60, 60, .6)]),
        sample([(0, 0, 0, 20, 20)], []),
    ]
    assert evaluate(samples, (0.5, 0.8)) == {
        'pseudo_boxes/precision@0.5': pytest.approx(66.67),
        'pseudo_boxes/recall@0.5': pytest.approx(66.67),
        'pseudo_boxes/precision@0.8': pytest.approx(50.),
        'pseudo_boxes/recall@0.8': pytest.approx(33.33),
    }


def test_second_box_of_an_object_is_wrong():
    twice = sample([(0, 0, 0, 20, 20)],
                   [(0, 0, 0, 20, 20, .9), (0, 1, 0, 20, 20, .95)])
    assert evaluate([twice], (0.5, )) == {
        'pseudo_boxes/precision@0.5': 50.,
        'pseudo_boxes/recall@0.5': 100.,
    }


def test_threshold_that_no_box_reaches_has_no_precision():
    none = sample([(0, 0, 0, 20, 20)], [])
    assert evaluate([none], (0.8, )) == {'pseudo_boxes/recall@0.8': 0.}

# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch

from mic_mm.registry import METRICS

CLASSES = ('cat', 'dog', 'bird')


def sample(objects, boxes):
    """Objects are (class, x1, y1, x2, y2), boxes have a score as well."""
    truth = torch.tensor([o[1:] for o in objects]).float().reshape(-1, 4)
    found = torch.tensor([b[1:] for b in boxes]).reshape(-1, 5)
    return dict(
        gt_instances=dict(bboxes=truth, labels=labels(objects)),
        ignored_instances=dict(bboxes=truth[:0], labels=labels([])),
        pred_instances=dict(
            bboxes=found[:, :4], scores=found[:, 4], labels=labels(boxes)))


def labels(entries):
    return torch.tensor([CLASSES.index(e[0]) for e in entries],
                        dtype=torch.long)


SAMPLES = [
    sample([('cat', 0, 0, 20, 20), ('dog', 50, 50, 90, 90)],
           [('cat', 0, 0, 20, 19, .9), ('cat', 60, 60, 80, 80, .95),
            ('dog', 50, 50, 88, 90, .6)]),
    sample([('dog', 10, 10, 30, 30)], [('dog', 70, 70, 90, 90, .5)]),
    sample([], []),
]


def evaluate(**options):
    metric = METRICS.build(dict(type='mic_mm.DomainVOCMetric', **options))
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process({}, SAMPLES)
    return metric.evaluate(len(SAMPLES))


def test_eleven_points_by_definition():
    metrics = evaluate(eval_mode='11points')
    # cat: a wrong box, then the right one; dog: recall ends at 1/2.
    assert metrics['pascal_voc/AP50.cat'] == pytest.approx(0.5, abs=1e-4)
    assert metrics['pascal_voc/AP50.dog'] == pytest.approx(6 / 11, abs=1e-4)


def test_area_by_definition():
    metrics = evaluate(eval_mode='area')
    assert metrics['pascal_voc/AP50.cat'] == pytest.approx(0.5, abs=1e-4)
    assert metrics['pascal_voc/AP50.dog'] == pytest.approx(0.5, abs=1e-4)


def test_mean_is_that_of_the_classes_with_objects():
    metrics = evaluate(eval_mode='11points')
    assert 'pascal_voc/AP50.bird' not in metrics
    classes = [metrics['pascal_voc/AP50.cat'], metrics['pascal_voc/AP50.dog']]
    assert metrics['pascal_voc/AP50'] == pytest.approx(
        np.mean(classes), abs=6e-4)


def test_overlap_is_that_of_inclusive_corners():
    # 11 x 11 and 6 x 11 pixels, of 11 x 11: 0.545 where corners are
    # inclusive, 0.5 - and no more than that - where they are not.
    corner = sample([('cat', 0, 0, 10, 10)], [('cat', 0, 0, 5, 10, .9)])
    metric = METRICS.build(
        dict(type='mic_mm.DomainVOCMetric', iou_thrs=[0.52]))
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process({}, [corner])
    assert metric.evaluate(1)['pascal_voc/AP52.cat'] == 1

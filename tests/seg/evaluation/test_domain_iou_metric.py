# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmseg.datasets import CityscapesDataset
from mmseg.evaluation import IoUMetric

from mic_mm.registry import METRICS

NAMES = CityscapesDataset.METAINFO['classes']
SUBSETS = dict(
    mIoU16=[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18],
    mIoU13=[0, 1, 2, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18])


def sample(prediction, labels):
    return dict(
        pred_sem_seg=dict(data=torch.as_tensor(prediction)[None]),
        gt_sem_seg=dict(data=torch.as_tensor(labels)[None]),
        img_path='image.png')


def random_samples(count=3, size=(40, 50), seed=0, missing=()):
    """Predictions and labels of all classes but the missing ones."""
    rng = np.random.RandomState(seed)
    classes = [c for c in range(19) if c not in missing]
    samples = []
    for _ in range(count):
        labels = rng.choice([*range(19), 255], size=size)
        wrong = rng.rand(*size) < 0.3
        prediction = np.where(wrong | (labels == 255)
                              | np.isin(labels, missing),
                              rng.choice(classes, size=size), labels)
        samples.append(sample(prediction, labels))
    return samples


def iou_by_definition(samples):
    """IoU of each class in percent, by counting pixels."""
    prediction, labels = (
        np.concatenate([s[k]['data'].numpy().ravel() for s in samples])
        for k in ('pred_sem_seg', 'gt_sem_seg'))
    prediction, labels = prediction[labels != 255], labels[labels != 255]
    return np.array([
        100 * np.sum((prediction == c) & (labels == c)) / np.sum(
            (prediction == c) | (labels == c)) for c in range(19)
    ])


def evaluate(samples, classes=NAMES, **options):
    metric = METRICS.build(dict(type='mic_mm.DomainIoUMetric', **options))
    metric.dataset_meta = dict(classes=classes)
    for s in samples:
        metric.process({}, [s])
    return metric.evaluate(len(samples))


def test_all_protocols_come_out_of_one_run():
    samples = random_samples()
    iou = iou_by_definition(samples)
    scores = evaluate(samples, class_subsets=SUBSETS)
    assert scores['mIoU'] == pytest.approx(iou.mean(), abs=0.006)
    for name, classes in SUBSETS.items():
        assert scores[name] == pytest.approx(iou[classes].mean(), abs=0.006)
    assert len({scores['mIoU'], scores['mIoU16'], scores['mIoU13']}) == 3
    for name, value in zip(NAMES, iou):
        assert scores[f'IoU.{name}'] == pytest.approx(value, abs=0.006)


def test_classes_never_predicted_give_the_scaled_mean_of_the_original():
    """The original takes 19/16 of the mean over all classes for SYNTHIA."""
    samples = random_samples(missing=(9, 14, 16))
    scores = evaluate(samples, class_subsets=SUBSETS)
    assert scores['IoU.terrain'] == scores['IoU.train'] == 0
    assert scores['mIoU16'] == pytest.approx(
        scores['mIoU'] * 19 / 16, abs=0.02)


def test_everything_else_equals_the_stock_metric():
    samples = random_samples()
    stock = IoUMetric()
    stock.dataset_meta = dict(classes=NAMES)
    for s in samples:
        stock.process({}, [s])
    expected = stock.evaluate(len(samples))
    # It adds in float32, which may round the second decimal otherwise.
    assert evaluate(samples, per_class=False) == pytest.approx(
        expected, abs=0.0101)
    assert len(expected) == 3


def test_subsets_may_be_given_by_name():
    samples = random_samples()
    by_name = evaluate(
        samples, class_subsets=dict(few=['road', 'train', 'bicycle']))
    by_index = evaluate(samples, class_subsets=dict(few=[0, 16, 18]))
    assert by_name['few'] == by_index['few']


def test_a_class_that_occurs_nowhere_is_left_out():
    labels = np.zeros((4, 4), np.int64)
    labels[0] = 1
    prediction = np.zeros((4, 4), np.int64)
    scores = evaluate([sample(prediction, labels)], classes=('a', 'b', 'c'),
                      class_subsets=dict(ab=[0, 1], ac=['a', 'c']))
    assert scores['IoU.a'] == 75 and scores['IoU.b'] == 0
    assert 'IoU.c' not in scores
    assert scores['mIoU'] == scores['ab'] == 37.5
    assert scores['ac'] == 75


def test_areas_beyond_float32_are_added_exactly():
    metric = METRICS.build(dict(type='mic_mm.DomainIoUMetric'))
    metric.dataset_meta = dict(classes=('a', 'b'))
    big = torch.tensor([2.**24, 0.])
    one = torch.tensor([1., 1.])
    zero = torch.zeros(2)
    # 2^24 pixels of class a, then 2000 images with one wrong pixel of it
    results = [(big, big, big, big)]
    results += [(zero, one, one, one)] * 2000
    iou = metric._iou([tuple(a.double() for a in r) for r in results])
    assert iou[0] == pytest.approx(100 * 2**24 / (2**24 + 2000), abs=1e-9)
    scores = metric.compute_metrics(results)
    assert scores['IoU.a'] == 99.99


@pytest.mark.parametrize('subset', [[], ['road', 'tree'], [19], [-1]])
def test_subsets_of_other_classes_are_refused_by_name(subset):
    with pytest.raises(ValueError, match=r"class_subsets\['few'\]"):
        evaluate([], class_subsets=dict(few=subset))


def test_a_prediction_of_another_size_is_refused_by_file():
    with pytest.raises(
            ValueError, match=r'image.png is \(4, 4\).*label map \(4, 5\)'):
        evaluate([sample(np.zeros((4, 4)), np.zeros((4, 5)))])


def test_it_needs_the_iou():
    with pytest.raises(ValueError, match="'mIoU'"):
        METRICS.build(
            dict(type='mic_mm.DomainIoUMetric', iou_metrics=['mDice']))

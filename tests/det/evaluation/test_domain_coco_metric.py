# Copyright (c) mic_mm authors. All rights reserved.
import json

import numpy as np
import pytest
import torch

from mic_mm.registry import METRICS

CLASSES = ('person', 'rider', 'car')
IDS = {'person': 1, 'rider': 2, 'car': 3}


def write_annotations(path, objects, images=4, categories=CLASSES):
    """A COCO file; ``objects`` are (image, class, x1, y1, x2, y2)."""
    path.write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, file_name=f'{i}.png', width=100, height=100)
                    for i in range(images)
                ],
                categories=[dict(id=IDS[c], name=c) for c in categories],
                annotations=[
                    dict(
                        id=n + 1,
                        image_id=i,
                        category_id=IDS[c],
                        bbox=[x1, y1, x2 - x1, y2 - y1],
                        area=(x2 - x1) * (y2 - y1),
                        iscrowd=0)
                    for n, (i, c, x1, y1, x2, y2) in enumerate(objects)
                ])))
    return str(path)


def predicted(image, boxes):
    """A data sample; ``boxes`` are (class, x1, y1, x2, y2, score)."""
    rows = torch.tensor([b[1:] for b in boxes]).reshape(-1, 5)
    return dict(
        img_id=image,
        ori_shape=(100, 100),
        pred_instances=dict(
            bboxes=rows[:, :4],
            scores=rows[:, 4],
            labels=torch.tensor([CLASSES.index(b[0]) for b in boxes],
                                dtype=torch.long)))


def evaluate(ann_file, samples, classes=CLASSES, **options):
    metric = METRICS.build(
        dict(type='mic_mm.DomainCocoMetric', ann_file=ann_file, **options))
    metric.dataset_meta = dict(classes=classes)
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def interpolated(right, objects):
    """AP of ranked boxes, by the definition of COCO: 101 recalls."""
    right = np.array(right)
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    recall = right.cumsum() / objects
    return np.mean([
        max((p for p, r in zip(precision, recall) if r >= level), default=0)
        for level in np.linspace(0, 1, 101)
    ])


@pytest.fixture
def annotations(tmp_path):
    return write_annotations(
        tmp_path / 'val.json', [
            (0, 'person', 10, 10, 30, 50),
            (0, 'car', 50, 50, 90, 90),
            (1, 'car', 10, 10, 50, 40),
            (2, 'car', 0, 0, 40, 40),
        ])


SAMPLES = [
    # The second car overlaps its object by a third only.
    predicted(0, [('person', 10, 10, 30, 50, .9), ('car', 52, 50, 90, 90, .8),
                  ('car', 70, 50, 110, 90, .7)]),
    predicted(1, [('person', 60, 60, 80, 90, .95)]),
    predicted(2, [('car', 0, 0, 40, 38, .3)]),
    predicted(3, []),
]


def test_ap50_of_each_class_is_a_metric(annotations):
    metrics = evaluate(annotations, SAMPLES)
    assert metrics['coco/AP50.person'] == pytest.approx(
        interpolated([0, 1], 1), abs=1e-4)
    assert metrics['coco/AP50.car'] == pytest.approx(
        interpolated([1, 0, 1], 3), abs=1e-4)


def test_class_without_object_has_no_ap50_and_the_mean_is_the_stock_one(
        annotations):
    metrics = evaluate(annotations, SAMPLES)
    assert 'coco/AP50.rider' not in metrics
    classes = [metrics['coco/AP50.person'], metrics['coco/AP50.car']]
    assert metrics['coco/bbox_mAP_50'] == pytest.approx(
        np.mean(classes), abs=6e-4)


def test_stock_metrics_are_those_of_the_stock_metric(annotations):
    ours = evaluate(annotations, SAMPLES, per_class=False)
    stock = METRICS.build(
        dict(type='mmdet.CocoMetric', ann_file=annotations))
    stock.dataset_meta = dict(classes=CLASSES)
    stock.process({}, SAMPLES)
    assert ours == stock.evaluate(len(SAMPLES))
    assert 'coco/bbox_mAP_50' in ours


def test_detector_without_a_box_scores_zero(annotations):
    metrics = evaluate(annotations, [predicted(i, []) for i in range(4)])
    assert metrics['coco/bbox_mAP_50'] == 0
    assert metrics['coco/AP50.car'] == 0
    assert 'coco/AP50.rider' not in metrics


def test_one_class_of_a_file_with_more(annotations):
    samples = [predicted(0, []), predicted(1, []), predicted(2, [])]
    samples[1]['pred_instances'] = dict(
        bboxes=torch.tensor([[10., 10, 50, 40]]),
        scores=torch.tensor([.9]),
        labels=torch.tensor([0]))
    metrics = evaluate(annotations, samples, classes=('car', ))
    assert metrics['coco/AP50.car'] == pytest.approx(
        interpolated([1], 3), abs=1e-4)
    assert 'coco/AP50.person' not in metrics


def test_ground_truth_of_the_data_samples_serves_without_a_file():
    sample = predicted(0, [('car', 0, 0, 40, 40, .3)])
    sample['instances'] = [dict(bbox=[0, 0, 40, 40], bbox_label=2)]
    assert evaluate(None, [sample])['coco/AP50.car'] == pytest.approx(1)


def test_file_without_a_class_is_refused(tmp_path):
    path = write_annotations(tmp_path / 'a.json', [], categories=('car', ))
    with pytest.raises(ValueError, match=r"no category \['person', 'rider'\]"):
        evaluate(path, SAMPLES)


def test_file_with_another_order_of_classes_is_refused(tmp_path):
    path = write_annotations(
        tmp_path / 'a.json', [], categories=('car', 'person', 'rider'))
    with pytest.raises(ValueError, match='in the order'):
        evaluate(path, SAMPLES)


def test_image_that_is_not_in_the_file_is_refused(annotations):
    with pytest.raises(ValueError, match='image id 77.*ann_file'):
        evaluate(annotations, SAMPLES[:3] + [predicted(77, [])])


def test_format_only_writes_and_evaluates_nothing(annotations, tmp_path):
    evaluate(
        annotations,
        SAMPLES,
        format_only=True,
        outfile_prefix=str(tmp_path / 'out'))
    assert len(json.loads((tmp_path / 'out.bbox.json').read_text())) == 5

# Copyright (c) mic_mm authors. All rights reserved.
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

pytest.importorskip('mmpretrain')

from mmengine.registry import DefaultScope  # noqa: E402
from mmengine.visualization import Visualizer  # noqa: E402
from mmpretrain.evaluation import Accuracy  # noqa: E402
from mmpretrain.models import ImageClassifier  # noqa: E402

from mic_mm.cls.evaluation import (  # noqa: E402
    PerClassAccuracy,
    class_ious,
    class_recalls,
    confusion_matrix,
    draw_confusion_matrix,
)
from mic_mm.testing.golden import load_golden  # noqa: E402


@pytest.fixture(scope='module')
def case():
    return load_golden('cls', 'confusion_matrix')


def _samples(labels, predictions):
    return [
        dict(gt_label=torch.tensor([int(label)]),
             pred_label=torch.tensor([int(prediction)]))
        for label, prediction in zip(labels, predictions)
    ]


@pytest.mark.golden
@pytest.mark.parametrize('part', ['full', 'absent_class'])
def test_matrix_and_its_metrics_equal_the_original__cls(case, part):
    labels, predictions = (
        torch.from_numpy(case[f'{part}/{name}'])
        for name in ('target', 'prediction'))
    matrix = confusion_matrix(labels, predictions, case.config['num_classes'])
    case.assert_within(f'{part}/matrix', matrix)
    case.assert_within(f'{part}/acc_per_class', class_recalls(matrix))
    case.assert_within(f'{part}/iou', class_ious(matrix))
    metric = PerClassAccuracy()
    metric.dataset_meta = dict(
        classes=[f'c{i}' for i in range(case.config['num_classes'])])
    metric.process(None, _samples(labels, predictions))
    values = metric.compute_metrics(metric.results)
    case.assert_within(f'{part}/acc_global', values['top1'] / 100)
    case.assert_within(f'{part}/mean_correct', values['mean'] / 100)
    case.assert_within(
        f'{part}/acc_per_class',
        torch.tensor([values[name] for name in metric.dataset_meta['classes']])
        / 100)


class _TinyBackbone(nn.Module):
    """The network of the recording."""

    def __init__(self, weights):
        super().__init__()
        c1, c2 = (weights[f'backbone.conv{i}.weight'].shape[0] for i in (1, 2))
        self.conv1 = nn.Conv2d(3, c1, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c1)
        self.conv2 = nn.Conv2d(c1, c2, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c2)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return (F.relu(self.bn2(self.conv2(x))), )


_KEYS = {'bottleneck.0': 'neck.fc', 'bottleneck.1': 'neck.norm',
         'head': 'head.fc'}


def _classifier(case):
    prefix = 'validate/classifier/'
    weights = {}
    for name in case.names(f'{prefix}*'):
        key = name.removeprefix(prefix)
        for old, new in _KEYS.items():
            if key.startswith(f'{old}.'):
                key = key.replace(old, new, 1)
        weights[key] = torch.from_numpy(case[name])
    classes, width = weights['head.fc.weight'].shape
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = ImageClassifier(
            backbone=_TinyBackbone(weights),
            neck=dict(
                type='LinearNeck',
                in_channels=weights['neck.fc.weight'].shape[1],
                out_channels=width,
                gap_dim=2,
                norm_cfg=dict(type='BN1d'),
                act_cfg=dict(type='ReLU')),
            head=dict(type='LinearClsHead', num_classes=classes,
                      in_channels=width))
    model.load_state_dict(weights)
    return model.eval()


@pytest.mark.golden
def test_validation_of_a_classifier_equals_the_original__cls(case):
    from mmpretrain.structures import DataSample
    model, metric, logits = _classifier(case), PerClassAccuracy(), []
    batches = len(case.names('validate/batch*/images'))
    assert batches
    for name in (f'validate/batch{i}/images' for i in range(batches)):
        images = torch.from_numpy(case[name])
        labels = case[name.replace('images', 'labels')]
        samples = [DataSample().set_gt_label(int(i)) for i in labels]
        with torch.no_grad():
            logits.append(model(images, mode='tensor'))
            samples = model.head.predict(model.extract_feat(images), samples)
        metric.process(None, [sample.to_dict() for sample in samples])
    case.assert_within('validate/logits', torch.cat(logits))
    values = metric.compute_metrics(metric.results)
    case.assert_within('validate/top1', values.pop('top1'))
    values.pop('mean')
    case.assert_within(
        'validate/acc_per_class', torch.tensor(list(values.values())) / 100)
    labels, predictions, _ = torch.tensor(metric.results).T
    case.assert_within(
        'validate/matrix',
        confusion_matrix(labels, predictions, len(values)))


@pytest.mark.golden
def test_stock_accuracy_equals_the_original__cls(case):
    # Which k they are is in the words of the manifest.
    meaning, = (array['meaning'] for array in case.entry['arrays']
                if array['name'] == 'topk/accuracy')
    topk = tuple(map(int, re.findall(r'top-(\d+)', meaning)))
    assert len(topk) == len(case['topk/accuracy'])
    logits = torch.from_numpy(case['topk/logits'])
    labels = torch.from_numpy(case['topk/labels'])
    values = Accuracy.calculate(logits, labels, topk=topk)
    case.assert_within('topk/accuracy',
                       torch.tensor([float(v[0]) for v in values]))


def test_each_class_counts_the_same_in_the_mean():
    metric = PerClassAccuracy()
    # 3 of 4 cats and the only dog wrong: 3 / 5, and (3 / 4 + 0) / 2
    metric.process(None, _samples([0, 0, 0, 0, 1], [0, 0, 0, 1, 0]))
    metric.dataset_meta = dict(classes=('cat', 'dog'))
    assert metric.compute_metrics(metric.results) == pytest.approx(
        dict(top1=60, mean=37.5, cat=75, dog=0))


def test_metrics_are_logged_under_their_prefix():
    metric = PerClassAccuracy(per_class=False)
    metric.process(None, _samples([0, 1], [0, 0]))
    assert metric.evaluate(2) == pytest.approx({
        'class_accuracy/top1': 50,
        'class_accuracy/mean': 50
    })


def test_an_image_without_label_is_refused():
    sample = dict(pred_label=torch.tensor([0]))
    with pytest.raises(ValueError, match='with_label'):
        PerClassAccuracy().process(None, [sample])


def test_figure_shows_where_the_images_of_a_class_go():
    matrix = torch.tensor([[8, 0], [1, 1]])
    picture = draw_confusion_matrix(matrix, ['cat', 'dog'])
    assert picture.dtype == torch.zeros(0).byte().numpy().dtype
    assert picture.shape[2] == 3
    # All cats are in one cell, so it is darker than any cell of dogs: as
    # many dark pixels as there are cells with a share of 100 %.
    other = draw_confusion_matrix(torch.tensor([[8, 0], [0, 2]]),
                                  ['cat', 'dog'])
    assert (other.min(axis=2) < 60).sum() > 1.3 * (picture.min(axis=2)
                                                   < 60).sum()


def test_figure_is_given_to_the_visualizer_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(Visualizer, '_instance_dict', {})
    Visualizer.get_instance(
        'run', vis_backends=[dict(type='LocalVisBackend')],
        save_dir=str(tmp_path))
    for draw, files in ((False, 0), (True, 1)):
        metric = PerClassAccuracy(draw=draw)
        metric.process(None, _samples([0, 1], [0, 0]))
        metric.evaluate(2)
        pictures = list(tmp_path.rglob('confusion_matrix_*.png'))
        assert len(pictures) == files

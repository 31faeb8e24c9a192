# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from mic_mm.cls.uda_classifier import stack_image_weights
from mic_mm.core import LabelledImages
from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_classifier

MIC = dict(
    source=dict(type='mic_mm.SourceSupervision'),
    mic=dict(
        type='mic_mm.MaskedConsistency',
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)))


def build(classifier, objectives=MIC):
    return MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=classifier,
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=objectives))


def test_loss_is_the_weighted_mean_of_cross_entropies():
    torch.manual_seed(0)
    model = build(tiny_classifier()).eval()
    images = torch.randn(3, 3, 32, 32)
    labels = torch.tensor([1, 3, 0])
    weights = torch.tensor([0.5, 1., 0.])
    samples = [DataSample().set_gt_label(int(i)) for i in labels]
    samples[0].set_field(weights[0], 'loss_weight')
    samples[2].set_field(weights[2], 'loss_weight')
    loss = model.weighted_loss(model.student,
                               LabelledImages(images, samples))['loss']
    logits = model.student(images)
    cross_entropies = F.cross_entropy(logits, labels, reduction='none')
    expected = (weights * cross_entropies).mean()
    torch.testing.assert_close(loss, expected)
    parameters = list(model.student.parameters())
    for ours, theirs in zip(
            torch.autograd.grad(loss, parameters, retain_graph=True),
            torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(ours, theirs)


def test_no_weights_mean_the_stock_loss():
    assert stack_image_weights([DataSample()]) is None


def test_head_without_weighted_loss_is_refused_by_name():
    classifier = tiny_classifier()
    classifier['head'] = dict(
        type='MultiLabelLinearClsHead', num_classes=4, in_channels=8)
    with pytest.raises(TypeError, match='MultiLabelLinearClsHead'):
        build(classifier)


def test_label_mixing_augmentation_is_refused_with_the_remedy():
    classifier = tiny_classifier()
    classifier['data_preprocessor']['batch_augments'] = dict(
        augments=dict(type='Mixup', alpha=0.8))
    with pytest.raises(ValueError, match='batch_augments'):
        build(classifier)


def test_source_only_accepts_what_pseudo_labels_cannot_use():
    classifier = tiny_classifier()
    classifier['head'] = dict(
        type='MultiLabelLinearClsHead', num_classes=4, in_channels=8)
    model = build(classifier, dict(source=MIC['source']))
    assert type(model.student.head).__name__ == 'MultiLabelLinearClsHead'

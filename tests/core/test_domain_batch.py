# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.structures import BaseDataElement, PixelData

from mic_mm.core import DomainBatch, LabelledImages, PseudoLabels

IMAGES = LabelledImages(torch.zeros(1, 3, 2, 2), [None])


def batch_with(weight, panels=None):
    sample = BaseDataElement(metainfo=dict(index=7))
    sample.set_field(torch.tensor([3]), 'gt_label')
    if weight is not None:
        sample.set_field(weight, 'loss_weight')
    labels = PseudoLabels([sample], dict(confidence=torch.tensor(0.5)))
    return DomainBatch(
        iteration=0,
        source=IMAGES,
        target=IMAGES,
        draws=None,
        statistics=None,
        weighted_loss=None,
        label_target=lambda teacher, threshold: labels,
        panels=panels)


def pixel_map(*values):
    return PixelData(data=torch.tensor([[values]]))


def as_list(weight):
    weight = getattr(weight, 'data', weight)
    return weight.tolist() if isinstance(weight, torch.Tensor) else weight


@pytest.mark.parametrize('weight, expected', [
    (torch.tensor(0.3), 1.),
    (torch.tensor(0.), 0.),
    (pixel_map(0.3, 0., 0.9), [[[1., 0., 1.]]]),
    (0.3, 1.),
    (0., 0.),
])
def test_unit_weights_keep_what_is_left_out(weight, expected):
    batch = batch_with(weight)
    original, = batch.pseudo_labels(None, None).data_samples
    before = as_list(original.loss_weight)
    batch.unit_weights = True
    labels = batch.pseudo_labels(None, None)
    sample, = labels.data_samples
    assert as_list(sample.loss_weight) == expected
    assert sample.gt_label.tolist() == [3] and sample.index == 7
    assert labels.metrics['confidence'] == 0.5
    assert as_list(original.loss_weight) == before
    batch.unit_weights = False
    assert as_list(
        batch.pseudo_labels(None, None).data_samples[0].loss_weight) == before


def test_unweighted_labels_stay_unweighted():
    batch = batch_with(None)
    batch.unit_weights = True
    sample, = batch.pseudo_labels(None, None).data_samples
    assert 'loss_weight' not in sample


def test_panels_of_the_second_pass_fill_gaps_only():
    panels = {}
    batch = batch_with(None, panels)
    first, second = (LabelledImages(torch.zeros(1), []) for _ in range(2))
    batch.record('masked', first)
    batch.unit_weights = True
    batch.record('masked', second)
    batch.record('new', second)
    assert panels['masked'] is first and panels['new'] is second

# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch

from mic_mm.core import LabelledImages
from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch
from mic_mm.testing.models import tiny_detector


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='mic_mm.UDADetector',
            detector=tiny_detector(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    exclude=('bbox', ),
                    mask=dict(
                        type='mic_mm.BlockMask', ratio=0.5, block_size=8)))))
    return model.train()


def images_with(model, weights):
    data = model.data_preprocessor(det_batch(0, count=len(weights)), True)
    for sample, weight in zip(data['data_samples'], weights):
        if weight is not None:
            sample.set_field(weight, 'loss_weight')
    return LabelledImages(data['inputs'], data['data_samples'])


def scalars(losses):
    return {
        name: float(sum(value) if isinstance(value, list) else value)
        for name, value in losses.items() if 'loss' in name
    }


def test_image_with_weight_zero_has_no_part_in_the_loss(model):
    model.eval()
    both = images_with(model, [None, 0.])
    torch.manual_seed(1)
    ours = model.weighted_loss(model.student, both)
    torch.manual_seed(1)
    theirs = model.student.loss(both.inputs[:1],
                                copy.deepcopy(both.data_samples[:1]))
    assert scalars(ours) == scalars(theirs)
    assert scalars(ours)['loss_cls'] > 0


def test_batch_without_labelled_image_has_no_loss(model):
    assert model.weighted_loss(model.student,
                               images_with(model, [0., 0.])) == {}


def test_teacher_of_a_detector_evaluates_and_averages_its_state(model):
    assert model.teacher.mode == 'eval'
    assert model.teacher.average == 'state'
    assert not any(m.training for m in model.teacher.model.modules())


def test_iteration_without_pseudo_boxes_trains_on_the_source_alone(model):
    from mmengine.optim import OptimWrapper

    from mic_mm.testing.batches import without_labels
    model.teacher.update(model.student)
    optim_wrapper = OptimWrapper(
        torch.optim.SGD(model.student.parameters(), lr=0.1))
    logs = model.train_step(
        dict(source=det_batch(0), target=without_labels(det_batch(1))),
        optim_wrapper)
    assert float(logs['mic.labelled_share']) == 0.
    assert not any('loss' in key for key in logs if key.startswith('mic.'))
    sources = [
        float(value) for key, value in logs.items()
        if key.startswith('source.') and 'loss' in key
    ]
    assert float(logs['loss']) == pytest.approx(sum(sources), rel=1e-5)
    assert optim_wrapper._inner_count == 1

# Copyright (c) mic_mm authors. All rights reserved.
"""The teacher of the original's classification code, and its labels."""
import re

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from mic_mm.cls import ClassLabeller
from mic_mm.cls.uda_classifier import stack_image_weights
from mic_mm.core import LabelledImages
from mic_mm.registry import MODELS
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_classifier import classifier_of, our_name, recorded_state

pytestmark = pytest.mark.golden


def build_model(case):
    state = recorded_state(case, 'student_at_construction/')
    model = MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=classifier_of(state),
            teacher=dict(
                type='mic_mm.EMATeacher', alpha=case.config['alpha']),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))
    for network in (model.student, model.teacher.model):
        network.load_state_dict(state)
    return model.train()


def update(model, case, iteration):
    model.student.load_state_dict(
        recorded_state(case, f'iter{iteration}/student/'), strict=False)
    resumed = dict(
        model.teacher.state_dict(), steps=torch.tensor(iteration))
    model.teacher.load_state_dict(resumed)
    model.update_teachers()


def check_state(case, prefix, state):
    names = case.names(f'{prefix}*')
    assert names
    for name in names:
        case.assert_within(name, state[our_name(name.removeprefix(prefix))])


def check_labels(case, at, teacher):
    images = torch.from_numpy(case[f'{at}/target_image'])
    logits = []
    handle = teacher.head.fc.register_forward_hook(
        lambda module, inputs, output: logits.append(output))
    labels = ClassLabeller(weight='prob')(
        teacher, LabelledImages(images, [DataSample() for _ in images]), None)
    handle.remove()
    case.assert_within(f'{at}/teacher_logits', logits[0])
    case.assert_within(f'{at}/pseudo_label',
                       torch.cat([s.gt_label for s in labels.data_samples]))
    case.assert_within(f'{at}/pseudo_weight_prob',
                       stack_image_weights(labels.data_samples))


def test_teacher_and_labels_equal_the_original__cls_ema_teacher():
    case = load_golden('cls', 'ema_teacher')
    iterations = sorted(
        int(re.match(r'iter(\d+)/', name).group(1))
        for name in case.names('iter*/target_image'))
    assert iterations == sorted(case.config['iterations'])
    model = build_model(case)
    teacher = model.teacher.model
    for iteration in iterations:
        at = f'iter{iteration}'
        update(model, case, iteration)
        check_state(case, f'{at}/teacher/', dict(teacher.named_parameters()))
        check_labels(case, at, teacher)
        check_state(case, f'{at}/teacher_buffers/', dict(
            teacher.named_buffers()))


def test_without_weighting_all_labels_count_1__cls_ema_teacher():
    case = load_golden('cls', 'ema_teacher')
    teacher = build_model(case).teacher.model
    for name in case.names('iter*/pseudo_weight_none'):
        images = torch.from_numpy(
            case[name.replace('pseudo_weight_none', 'target_image')])
        labels = ClassLabeller(weight=None)(
            teacher, LabelledImages(images, [DataSample() for _ in images]),
            None)
        weights = stack_image_weights(labels.data_samples)
        case.assert_within(name, weights,
                           np.broadcast_to(case[name], weights.shape))

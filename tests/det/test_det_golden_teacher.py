# Copyright (c) mic_mm authors. All rights reserved.
"""The teacher of the original's detection code, and its boxes."""
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn

from mic_mm.core import EMATeacher, LabelledImages
from mic_mm.det import BoxLabeller, UDADetector
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import weights_of

pytestmark = pytest.mark.golden


def network_of(state):
    """Two convolutions, FrozenBatchNorm and, in training, dropout between."""
    layers = []
    for index in ('0', '3'):
        weight = state[f'{index}.weight']
        out_channels, in_channels, *kernel = weight.shape
        layers.append(nn.Conv2d(in_channels, out_channels, kernel))
    # FrozenBatchNorm has no epsilon; this one is lost in float32.
    norm = nn.BatchNorm2d(len(state['1.bias']), eps=1e-12)
    return nn.Sequential(layers[0], norm, nn.Dropout(), layers[1])


def test_averages_of_the_whole_state_equal_the_original__det_ema_teacher():
    case = load_golden('det', 'ema_teacher')
    student = network_of(weights_of(case, 'iter0/student/'))
    teacher = EMATeacher(
        student,
        alpha=case.config['alpha'],
        warmup=False,
        **UDADetector.teacher_defaults).train()
    teacher.model.load_state_dict(
        weights_of(case, 'teacher_init/'), strict=False)
    for iteration in case.config['iterations']:
        prefix = f'iter{iteration}'
        student.load_state_dict(
            weights_of(case, f'{prefix}/student/'), strict=False)
        teacher.update(student)
        state = teacher.model.state_dict()
        names = case.names(f'{prefix}/teacher/*')
        assert names
        for name in names:
            case.assert_within(name, state[name.split('/')[-1]])
        with torch.no_grad():
            output = teacher(torch.from_numpy(case['x']))
        case.assert_within(f'{prefix}/teacher_output', output)


class RecordedDetector(nn.Module):
    """A teacher that found the recorded boxes."""

    def __init__(self, case):
        super().__init__()
        self.case = case

    def predict(self, inputs, data_samples, rescale):
        for i, sample in enumerate(data_samples):
            boxes, scores, labels = (
                torch.from_numpy(self.case[f'img{i}/{field}'])
                for field in ('boxes', 'scores', 'labels'))
            sample.pred_instances = InstanceData(
                bboxes=boxes, scores=scores, labels=labels)
        return data_samples


def test_kept_boxes_and_images_equal_the_original__det_pseudo_labels():
    case = load_golden('det', 'pseudo_labels')
    threshold = case.config['threshold']
    count = len(case.names('img*/scores'))
    images = LabelledImages(
        torch.zeros(count, 3, 8, 8), [DetDataSample() for _ in range(count)])
    pseudo = BoxLabeller(threshold)(RecordedDetector(case), images, threshold)
    kept = []
    for i, sample in enumerate(pseudo.data_samples):
        if sample.loss_weight == 0:
            continue
        kept.append(i)
        case.assert_within(f'img{i}/pseudo_boxes', sample.gt_instances.bboxes)
        case.assert_within(f'img{i}/pseudo_labels',
                           sample.gt_instances.labels)
        assert sample.get('is_source', True)
    case.assert_within('kept_images', kept)

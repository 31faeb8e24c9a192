# Copyright (c) mic_mm authors. All rights reserved.
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.visualization import PanelStyle
from mic_mm.visualization.legend import legend
from mic_mm.visualization.palette import IGNORED

# The channels are in the order blue, green, red.
STATISTICS = PixelStatistics([10., 20., 30.], [1.] * 3, 'bgr')


def entries(name, classes=('road', 'car'), **fields):
    images = LabelledImages(torch.zeros(1, 3, 4, 4), [BaseDataElement(**fields)])
    style = PanelStyle(classes, palette=[(i, i, i) for i in range(len(classes))])
    return legend({name: images}, STATISTICS, style)


def pixels(*values):
    return PixelData(data=torch.tensor([values]))


def test_all_classes_are_named_where_there_are_few():
    assert entries('source', gt_sem_seg=pixels([0, 0])) == [
        ('road', (0, 0, 0)), ('car', (1, 1, 1))]


def test_ignored_pixels_are_named_where_there_are_some():
    assert entries('source', gt_sem_seg=pixels([0, 255]))[-1] == ('ignored', IGNORED)


def test_of_many_classes_those_that_occur_are_named():
    classes = [f'class {i}' for i in range(150)]
    assert entries('source', classes, gt_sem_seg=pixels([7, 149, 7])) == [
        ('class 7', (7, 7, 7)), ('class 149', (149, 149, 149))]


def test_colors_of_boxes_are_named():
    boxes = InstanceData(bboxes=torch.zeros(1, 4), labels=torch.tensor([1]))
    assert entries('source', gt_instances=boxes)[1] == ('car', (1, 1, 1))


def test_hidden_pixels_have_the_mean_color():
    assert entries('masked') == [('hidden by the mask', (30, 20, 10))]


def test_ends_and_middle_of_weights_are_named():
    names = [name for name, _ in entries('mixed', loss_weight=pixels([0., 1.]))]
    assert names == ['weight 0', 'weight 0.5', 'weight 1']


def test_without_colors_there_is_no_legend():
    assert entries('target') == []

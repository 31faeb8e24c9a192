# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from mic_mm.core.domain_batch import LabelledImages
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.visualization import PanelStyle, draw_panels
from mic_mm.visualization.panels import panel_columns

STATISTICS = PixelStatistics([0.] * 3, [1.] * 3)
CLASSES = ('road', 'car')


def images(*samples, size=8):
    return LabelledImages(torch.full((len(samples), 3, size, size), 40.),
                          list(samples))


def sample(**fields):
    return BaseDataElement(**fields)


def pixels(value, size=8):
    return PixelData(data=torch.full((1, size, size), value))


def titles(panels, **style):
    return {
        column.title: [tile and tile.caption for tile in column.tiles]
        for column in panel_columns(panels, STATISTICS,
                                    PanelStyle(CLASSES, **style))
    }


def test_segmentation_shows_maps_of_classes_and_weights():
    pseudo = sample(gt_sem_seg=pixels(1), loss_weight=pixels(0.25))
    assert titles({
        'source': images(sample(gt_sem_seg=pixels(0))),
        'target': images(sample()),
        'pseudo_label': images(pseudo),
        'mixed': images(pseudo),
        'masked': images(pseudo),
    }) == {
        'source': [''],
        'ground truth': [''],
        'target': [''],
        'pseudo-label': [''],
        'weight': ['0.25'],
        'mixed': [''],
        'mixed label': [''],
        'mixed weight': ['0.25'],
        'masked': [''],
    }


def test_classification_names_class_and_weight_below_the_image():
    pseudo = sample(
        gt_label=torch.tensor([1]), loss_weight=torch.tensor(0.876))
    assert titles({
        'source': images(sample(gt_label=torch.tensor([0]))),
        'target': images(sample()),
        'pseudo_label': images(pseudo),
        'masked': images(pseudo),
    }) == {
        'source': ['road'],
        'target, pseudo-label': ['car, weight 0.88'],
        'masked': ['car, weight 0.88'],
    }


def test_several_labels_of_an_image_are_all_named():
    panels = {'source': images(sample(gt_label=torch.tensor([0, 1])))}
    assert titles(panels) == {'source': ['road, car']}


def test_label_map_of_masked_images_is_shown_if_nothing_else_shows_it():
    panels = {'masked': images(sample(gt_sem_seg=pixels(1)))}
    assert list(titles(panels)) == ['masked', 'masked label']


def test_images_without_a_map_leave_their_row_empty():
    # MaskedConsistency on='both': source images have no weight.
    panels = {
        'masked': images(
            sample(gt_sem_seg=pixels(0)),
            sample(gt_sem_seg=pixels(1), loss_weight=pixels(.5)))
    }
    assert titles(panels)['masked weight'] == [None, '0.50']


def test_boxes_are_drawn_with_the_color_of_their_class():
    boxes = InstanceData(
        bboxes=torch.tensor([[2., 2., 6., 6.]]), labels=torch.tensor([1]))
    palette = [(1, 2, 3), (250, 0, 250)]
    style = PanelStyle(CLASSES, palette=palette)
    drawn = draw_panels({'source': images(sample(gt_instances=boxes))},
                        STATISTICS, style)
    drawn = drawn[:190]  # without the legend
    assert (drawn == (250, 0, 250)).all(-1).any()
    assert not (drawn == (1, 2, 3)).all(-1).any()


def test_image_without_boxes_and_unknown_classes_can_be_drawn():
    none = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    some = InstanceData(
        bboxes=torch.tensor([[6., 6., 2., 2.]]), labels=torch.tensor([33]))
    panels = {
        'source': images(sample(gt_instances=none), sample(gt_instances=some))
    }
    assert draw_panels(panels, STATISTICS).dtype == np.uint8


def test_not_more_rows_than_asked_for():
    panels = {'source': images(*[sample(gt_label=torch.tensor([0]))] * 5)}
    assert titles(panels, max_images=2) == {'source': ['road', 'road']}


def test_size_of_the_grid_does_not_depend_on_the_size_of_the_images():
    style = PanelStyle(tile_size=64)
    small, large = (
        draw_panels({'source': images(sample(), size=size)}, STATISTICS, style)
        for size in (8, 256))
    assert small.shape == large.shape


def test_legend_names_the_classes_of_a_map():
    palette = [(11, 12, 13), (21, 22, 23)]
    style = PanelStyle(CLASSES, palette=palette)
    road = images(sample(gt_sem_seg=pixels(0)))
    drawn = draw_panels({'source': road}, STATISTICS, style)
    # Class 1 occurs in no pixel, so its color can only be in the legend.
    assert (drawn == palette[1]).all(-1).any()


def test_panels_recorded_by_a_users_objective_come_last():
    panels = {'rotated': images(sample()), 'source': images(sample())}
    drawn = draw_panels(panels, STATISTICS)
    assert drawn.shape[1] > 2 * 160
    assert list(titles(panels)) == ['source', 'rotated']


def test_nothing_recorded_is_an_error():
    with pytest.raises(ValueError, match='no panels'):
        draw_panels({}, STATISTICS)

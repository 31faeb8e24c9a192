# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np

from mic_mm.visualization.palette import IGNORED, class_colors, color_label_map, heat_map


def test_given_palette_is_kept_and_completed():
    colors = class_colors(3, [[128, 64, 128]])
    assert colors[0] == (128, 64, 128)
    assert len(colors) == 3


def test_twenty_classes_have_twenty_colors_apart_from_each_other():
    colors = np.array(class_colors(20), dtype=int)
    distance = np.abs(colors[:, None] - colors[None]).sum(-1)
    np.fill_diagonal(distance, 999)
    assert distance.min() > 40


def test_label_map_takes_the_color_of_each_class():
    colors = [(1, 2, 3), (4, 5, 6)]
    drawn = color_label_map(np.array([[0, 1], [255, -1]]), colors)
    assert drawn.tolist() == [[[1, 2, 3], [4, 5, 6]],
                              [list(IGNORED), list(IGNORED)]]


def test_heat_map_gets_brighter_with_the_weight():
    drawn = heat_map(np.linspace(0, 1, 11)[None])[0].astype(int)
    luma = drawn @ [0.299, 0.587, 0.114]
    assert (np.diff(luma) > 0).all()
    assert drawn[5].tolist() == [26, 140, 140]  # 255 * (.1, .55, .55)


def test_heat_map_clips_weights_outside_of_0_to_1():
    drawn = heat_map(np.array([[-1., 0., 1., 7.]]))[0]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[2] == drawn[3]).all()

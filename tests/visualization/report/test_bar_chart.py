# Copyright (c) mic_mm authors. All rights reserved.
import math
from xml.etree import ElementTree

import pytest

from mic_mm.visualization.report import Bars, bar_chart


def bars(svg):
    """Tooltip and length of each bar."""
    return {
        rect.find('title').text: float(rect.get('width'))
        for rect in ElementTree.fromstring(svg).iter('rect')
    }


def test_bars_are_as_long_as_their_values():
    svg = bar_chart('IoU', [Bars('a', {'road': 80., 'car': 20.}, 'red'),
                            Bars('b', {'road': 40.}, 'blue')])
    lengths = bars(svg)
    assert lengths['a, road: 80'] == pytest.approx(4 * lengths['a, car: 20'], abs=0.3)
    assert lengths['a, road: 80'] == pytest.approx(2 * lengths['b, road: 40'], abs=0.2)
    assert len(lengths) == 3


def test_values_that_are_no_number_have_no_bar_and_negative_ones_no_length():
    lengths = bars(bar_chart('IoU', [Bars('a', {'x': math.nan, 'y': -1., 'z': .5}, 'red')]))
    assert lengths['a, y: -1'] == 0 and lengths['a, z: 0.5'] > 0 and len(lengths) == 2


def test_runs_without_the_metric_take_no_room():
    alone = bar_chart('IoU', [Bars('a', {'x': 1.}, 'red')])
    assert bar_chart('IoU', [Bars('a', {'x': 1.}, 'red'), Bars('b', {}, 'blue')]) == alone


def test_a_class_that_a_run_lacks_takes_no_room():
    both = {'x': 1., 'y': 1.}
    svg = bar_chart('IoU', [Bars('a', {'x': 1.}, 'red'), Bars('b', both, 'blue')])
    root = ElementTree.fromstring(svg)
    tops = [float(rect.get('y')) for rect in root.iter('rect')]
    assert tops == [22, 35, 56]
    labels = {t.find('title').text: float(t.get('y')) for t in root.iter('text')
              if t.find('title') is not None}
    # In the middle of the bars.
    assert labels['x'] == pytest.approx((22 + 35 + 11) / 2 + 5, abs=1)
    assert labels['y'] == pytest.approx(56 + 11 / 2 + 5, abs=1)
    assert float(root.get('viewBox').split()[3]) == 56 + 13 + 8


def test_long_names_are_cut_and_cannot_break_the_document():
    name = '<i>' + 40 * 'x'
    texts = [t.text for t in ElementTree.fromstring(
        bar_chart('a & b', [Bars('r', {name: 1.}, 'red')])).iter('title')]
    assert name in texts


def test_no_values_no_chart():
    assert bar_chart('IoU', [Bars('a', {'x': math.nan}, 'red')]) == ''

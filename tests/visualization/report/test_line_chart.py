# Copyright (c) mic_mm authors. All rights reserved.
import math
import re
from xml.etree import ElementTree

import pytest

from mic_mm.visualization.report import Line, line_chart
from mic_mm.visualization.report.line_chart import _ticks


def circles(svg):
    return [(float(e.get('cx')), float(e.get('cy')))
            for e in ElementTree.fromstring(svg).iter('circle')
            if e.get('r') == '2.5']


@pytest.mark.parametrize('low, high, ticks', [
    (0, 100, [0, 20, 40, 60, 80, 100]),
    (0.12, 0.47, [0.1, 0.2, 0.3, 0.4, 0.5]),
    (-3, 4, [-4, -2, 0, 2, 4]),
    (5, 5, [2, 3, 4, 5, 6, 7, 8]),
    (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
])
def test_ticks_are_round_and_enclose_the_values(low, high, ticks):
    assert _ticks(low, high) == ticks


def test_points_lie_where_their_values_are():
    svg = line_chart('loss', [Line('a', [0, 50, 100], [0., 10., 5.], 'red')])
    (x0, y0), (x1, y1), (x2, y2) = circles(svg)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y1 < y2 < y0  # downwards in SVG
    assert y0 - y2 == pytest.approx(y2 - y1, abs=0.2)


def test_values_that_are_not_finite_are_left_out():
    svg = line_chart('loss', [Line('a', [1, 2, 3], [1., math.nan, 2.], 'red')])
    assert len(circles(svg)) == 2
    assert 'nan' not in svg


def test_lines_of_a_name_share_a_legend_entry():
    lines = [Line('mic', [1], [1.], 'red'), Line('mic', [1], [2.], 'red')]
    assert len(re.findall('>mic<', line_chart('x', lines))) == 1


def test_names_cannot_break_the_document():
    svg = line_chart('a < b & "c"', [Line('<x>', [1], [1.], 'red')])
    texts = [e.text for e in ElementTree.fromstring(svg).iter('text')]
    assert 'a < b & "c"' in texts and '<x>' in texts


def test_no_points_no_chart():
    assert line_chart('x', [Line('a', [], [], 'red')]) == ''


def test_long_curves_have_a_mark_at_their_end_only():
    svg = line_chart('x', [Line('a', range(500), [float(i) for i in range(500)], 'red')])
    (x, y), = circles(svg)
    first, *_, last = re.search('points="([^"]*)"', svg)[1].split()
    assert last == f'{x:.1f},{y:.1f}' != first


def test_the_legend_may_be_left_to_the_page():
    line = Line('a run', [1, 2], [1., 2.], 'red')
    assert '>a run<' in line_chart('x', [line])
    assert '>a run<' not in line_chart('x', [line], has_legend=False)

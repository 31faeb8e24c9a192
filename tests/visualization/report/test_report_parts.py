# Copyright (c) mic_mm authors. All rights reserved.
import base64
import json
import re

import pytest
from PIL import Image

from mic_mm.visualization import report
from mic_mm.visualization.report import Spread, read_scalars


def write_log(work_dir, timestamp, *entries, tail=''):
    folder = work_dir / timestamp / 'vis_data'
    folder.mkdir(parents=True)
    lines = [json.dumps(entry) for entry in entries]
    (folder / 'scalars.json').write_text('\n'.join([*lines, tail]))


def test_scalars_of_training_and_validation_are_read(tmp_path):
    write_log(tmp_path, '1', {'loss': 2., 'iter': 5, 'step': 5},
              {'mIoU': 40., 'step': 5}, {'loss': 1., 'iter': 9, 'step': 9})
    scalars = read_scalars(tmp_path)
    assert scalars['loss'] == ([5, 9], [2., 1.])
    assert scalars['mIoU'] == ([5], [40.])


def test_scalars_of_a_resumed_run_are_joined(tmp_path):
    write_log(tmp_path, '20200101_000000', {'loss': 3., 'step': 1},
              {'loss': 9., 'step': 2}, tail='{"loss": 7., "st')
    write_log(tmp_path, '20200101_000100', {'loss': 2., 'step': 2})
    assert read_scalars(tmp_path)['loss'] == ([1, 2], [3., 2.])


def test_missing_log_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='scalars.json'):
        read_scalars(tmp_path)


def test_spread_is_the_sample_standard_deviation():
    # mean 4; squared distances 4 + 0 + 4 = 8; 8 / (3 - 1) = 4
    assert Spread.of([2., 4., 6.]) == Spread(4., 2., 3)
    assert str(Spread.of([2., 4., 6.])) == '4.0 ± 2.0'


def test_a_single_seed_has_no_spread():
    assert str(Spread.of([53.94])) == '53.9'


def test_page_needs_no_other_file(tmp_path):
    picture = tmp_path / 'a.png'
    Image.new('RGB', (2, 2), 'red').save(picture)
    html = report.page('Title & more', report.image(picture, 'a <caption>'),
                       report.table(['', 'x'], [['row', '1']]))
    assert base64.b64encode(picture.read_bytes()).decode() in html
    assert not re.findall(r'(?:src|href)="(?!data:)', html)
    assert 'Title &amp; more' in html and 'a &lt;caption&gt;' in html
    assert '<td>row</td><td>1</td>' in html


def test_empty_charts_leave_no_gap():
    assert report.charts('', '<svg/>', '') == (
        '<div class="charts"><svg/></div>')

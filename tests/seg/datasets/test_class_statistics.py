# Copyright (c) mic_mm authors. All rights reserved.
import json

import pytest

from mic_mm.seg.datasets import ClassStatistics
from mic_mm.seg.datasets.class_statistics import STATISTICS_FILES

COUNTS = {'x/1.png': {0: 7, 12: 3}, 'x/2.png': {12: 4}}
LAYOUTS = {
    'sample_class_stats.json': [{
        '0': 7,
        '12': 3,
        'file': 'x/1.png'
    }, {
        '12': 4,
        'file': 'x/2.png'
    }],
    'sample_class_stats_dict.json': {
        'x/1.png': {
            '0': 7,
            '12': 3
        },
        'x/2.png': {
            '12': 4
        }
    },
    'samples_with_class.json': {
        '0': [['x/1.png', 7]],
        '12': [['x/1.png', 3], ['x/2.png', 4]]
    }
}


@pytest.mark.parametrize('name', LAYOUTS)
@pytest.mark.parametrize('by_folder', [True, False])
def test_each_file_of_the_original_is_enough(tmp_path, name, by_folder):
    (tmp_path / name).write_text(json.dumps(LAYOUTS[name]))
    path = tmp_path if by_folder else tmp_path / name
    assert ClassStatistics.read(path).counts == COUNTS


def test_all_files_are_written_as_the_original_does(tmp_path):
    ClassStatistics(COUNTS).write(tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(STATISTICS_FILES) == sorted(LAYOUTS)
    for name, content in LAYOUTS.items():
        assert json.loads((tmp_path / name).read_text()) == content


def test_missing_statistics_name_folder_and_command(tmp_path):
    with pytest.raises(
            FileNotFoundError, match=f'{tmp_path}.*class_statistics.py'):
        ClassStatistics.read(tmp_path)


@pytest.mark.parametrize('content', ['{', '[1, 2]', '[{"0": 3}]',
                                     '{"a": 3}', '{"a": {"road": 3}}'])
def test_a_file_of_another_layout_is_named(tmp_path, content):
    path = tmp_path / 'sample_class_stats.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=f'{path} does not hold'):
        ClassStatistics.read(tmp_path)


@pytest.mark.parametrize('content', ['[]', '{}', '[{"file": "a.png"}]'])
def test_empty_statistics_are_named(tmp_path, content):
    path = tmp_path / 'sample_class_stats.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=f'{path} are empty'):
        ClassStatistics.read(tmp_path)


def test_totals_and_files():
    statistics = ClassStatistics(COUNTS)
    assert statistics.totals() == {0: 7, 12: 7}
    assert statistics.files_with(12) == {'x/1.png': 3, 'x/2.png': 4}
    assert statistics.files_with(12, more_than=3) == {'x/2.png': 4}
    assert statistics.restricted_to({'x/2.png'}).totals() == {12: 4}

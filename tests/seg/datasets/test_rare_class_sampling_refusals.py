# Copyright (c) mic_mm authors. All rights reserved.
"""Rare class sampling: what is refused, skipped or switched off."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mic_mm.registry import DATASETS
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.scenes import write_labels


def test_statistics_none_switches_it_off(source, build):
    dataset = build(source, statistics=None)
    paths = [dataset[i]['data_samples'].img_path[-5:] for i in range(4)]
    assert paths == ['a.png', 'b.png', 'c.png', 'd.png']


def test_statistics_of_other_files_are_refused_by_name(source, build, counts):
    extra = {**counts, 'somewhere/other.png': {0: 500}}
    ClassStatistics(extra).write(source['data_root'])
    with pytest.raises(ValueError, match='1 of 5.*somewhere/other.png'):
        build(source)
    dataset = build(source, skip_unknown_files=True)
    assert 'somewhere/other.png' not in dataset.rare_classes.candidates[0]


def test_statistics_of_another_data_set_cannot_be_skipped(source, build):
    ClassStatistics({'other.png': {0: 500}}).write(source['data_root'])
    with pytest.raises(ValueError, match='1 of 1.*other.png'):
        build(source, skip_unknown_files=True)


def test_statistics_of_more_classes_are_refused(source, build, counts):
    counts['a.png'][7] = 4000
    ClassStatistics(counts).write(source['data_root'])
    with pytest.raises(ValueError, match=r'classes \[7\].*0 to 2'):
        build(source)


def test_a_pipeline_without_labels_is_refused(source, build):
    source['pipeline'].pop(1)
    with pytest.raises(ValueError, match='loads no labels.*LoadAnnotations'):
        build(source)[0]


def test_a_wrapped_dataset_is_refused(source, build):
    wrapped = dict(type='RepeatDataset', dataset=source, times=2)
    with pytest.raises(TypeError, match='got a RepeatDataset'):
        build(wrapped, statistics=source['data_root'])


def test_a_temperature_of_zero_is_refused(source, build):
    with pytest.raises(ValueError, match='temperature=0 '):
        build(source, temperature=0)


def test_missing_statistics_are_told_with_the_command(source, tmp_path):
    (tmp_path / 'none').mkdir()
    with pytest.raises(FileNotFoundError, match='class_statistics.py CONFIG'):
        with DefaultScope.overwrite_default_scope('mmseg'):
            DATASETS.build(
                dict(
                    type='mic_mm.DomainPairDataset',
                    source=dict(
                        type='mic_mm.RareClassSampling',
                        dataset=source,
                        statistics=str(tmp_path / 'none')),
                    target=source))


def test_pairs_that_are_skipped_are_replaced(source, build):
    write_labels(Path(source['data_root'], 'ann', 'b.png'), (32, 60), [0, 1])
    source['pipeline'].insert(
        2,
        dict(type='mic_mm.CheckLabels', num_classes=3, different_size='skip'))
    dataset = build(source, temperature=100.)
    np.random.seed(0)
    shown = {dataset[0]['data_samples'].img_path[-5:] for _ in range(40)}
    assert shown == {'a.png', 'c.png', 'd.png'}

# Copyright (c) mic_mm authors. All rights reserved.
import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.registry import DATASETS
from mic_mm.seg.dataset_tools import dataset_counting
from mic_mm.seg.dataset_tools.dataset_counting import JOURNAL, count_dataset
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.seg.datasets.class_statistics import STATISTICS_FILES
from mic_mm.testing.scenes import write_image, write_labels

TOOL = 'dataset_converters/class_statistics.py'
SIZE = (12, 30)
# The classes of the stripes of each label map.
STRIPES = dict(a=[0, 1, 5], b=[1, 1, 2], c=[0, 9, 9], d=[2, 2, 0])


@pytest.fixture
def dataset(tmp_path):
    """A dataset of unusual suffixes; 9 is ignored."""
    for name, stripes in STRIPES.items():
        write_image(tmp_path / f'data/x/{name}.left.png', SIZE)
        write_labels(tmp_path / f'data/y/{name}.gt.png', SIZE, stripes)
    return dict(
        type='BaseSegDataset',
        data_root=str(tmp_path / 'data'),
        data_prefix=dict(img_path='x', seg_map_path='y'),
        img_suffix='.left.png',
        seg_map_suffix='.gt.png',
        ignore_index=9,
        metainfo=dict(classes=tuple('abcdef'), palette=[[0] * 3] * 6))


def expected(change=lambda c: c, ignored=9):
    """Counts by name of the label map, from the definition of the stripes."""
    counts = {}
    for name, stripes in STRIPES.items():
        classes = [change(c) for c in stripes]
        counts[f'{name}.gt.png'] = {
            c: 120 * classes.count(c) for c in classes if c != ignored
        }
    return counts


def read(folder):
    statistics = ClassStatistics.read(folder)
    return {Path(f).name: dict(row) for f, row in statistics.counts.items()}


@pytest.fixture
def count(run_tool, tmp_path, capsys):
    """Runs the tool on a config; returns exit code, output and errors."""

    def run(cfg, *arguments):
        path = tmp_path / 'config.py'
        Config(cfg).dump(path)
        with pytest.raises(SystemExit) as stop:
            run_tool(TOOL, path, *arguments)
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(cfg)


@pytest.mark.parametrize('processes', [1, 2])
def test_any_dataset_is_counted(dataset, count, processes):
    code, out, _ = count(dict(dataset=dataset), '--nproc', processes)
    assert code == 0 and '4 label maps: 4 counted' in out
    assert read(dataset['data_root']) == expected()
    # and rare class sampling accepts them
    sampling = build(
        dict(
            type='mic_mm.RareClassSampling',
            dataset=dataset,
            statistics=dataset['data_root'],
            min_pixels=100))
    assert set(sampling.rare_classes.probabilities) == {0, 1, 2, 5}


def test_zero_labels_are_reduced(dataset, count):
    dataset.update(reduce_zero_label=True, ignore_index=255)
    dataset['metainfo'] = dict(
        classes=tuple('abcdefghi'), palette=[[0] * 3] * 9)
    assert count(dict(dataset=dataset))[0] == 0
    # LoadAnnotations counts down and makes 0 the ignored 255.
    assert read(dataset['data_root']) == expected(
        lambda c: 255 if c == 0 else c - 1, ignored=255)


def test_classes_chosen_from_those_of_a_dataset_are_mapped(tmp_path, count):
    for name, stripes in STRIPES.items():
        write_image(tmp_path / f'gta/images/{name}.png', SIZE)
        write_labels(tmp_path / f'gta/labels/{name}_labelTrainIds.png', SIZE,
                     stripes)
    chosen = dict(
        type='mic_mm.GTADataset',
        data_root=str(tmp_path / 'gta'),
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        metainfo=dict(classes=('pole', 'road')))
    assert count(dict(dataset=chosen))[0] == 0
    # road was 0 and becomes 1, pole was 5 and becomes 0
    assert ClassStatistics.read(tmp_path / 'gta').totals() == {
        1: 360,
        0: 120
    }


def test_the_source_of_a_training_config_is_counted_where_it_is_read(
        dataset, count, tmp_path):
    paired = dict(
        type='mic_mm.DomainPairDataset',
        source=dict(
            type='mic_mm.RareClassSampling',
            dataset=dataset,
            statistics=str(tmp_path / 'stats')),
        target=dict(type='BaseSegDataset', data_root='/nowhere'))
    code, _, _ = count(dict(train_dataloader=dict(dataset=paired)))
    assert code == 0 and read(tmp_path / 'stats') == expected()


def test_a_dataset_can_be_named(dataset, count, tmp_path):
    code, _, _ = count(
        dict(parts=dict(mine=dataset)), '--dataset', 'parts.mine', '--out',
        tmp_path / 'out')
    assert code == 0 and read(tmp_path / 'out') == expected()
    code, _, err = count(dict(parts=dict(mine=dataset)))
    assert code == 2 and 'no dataset at dataset or train_dataloader' in err


def test_bad_files_are_named_and_the_others_counted(dataset, count):
    root = Path(dataset['data_root'])
    (root / 'y/a.gt.png').write_bytes(b'no image')
    write_labels(root / 'y/b.gt.png', SIZE, [0, 7])
    write_labels(root / 'y/c.gt.png', (12, 29), [0])
    code, out, err = count(dict(dataset=dataset), '--nproc', 1)
    assert code == 1 and '1 counted, 0 were complete, 3 left out' in out
    lines = [line for line in err.splitlines() if '.gt.png' in line]
    assert 'a.gt.png: cannot be used' in lines[0]
    assert 'b.gt.png: has the labels [7]; classes are 0 to 5' in lines[1]
    assert 'c.gt.png: it is 12x29' in lines[2] and '12x30' in lines[2]
    assert read(root) == {'d.gt.png': expected()['d.gt.png']}


def test_an_interrupted_count_goes_on_with_the_same_result(
        dataset, tmp_path, monkeypatch):
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    count_dataset(build(dataset), whole, 1)
    counted = []

    def fails_after(limit):
        call = dataset_counting.LabelCounter.__call__

        def wrapped(self, info):
            if len(counted) == limit:
                raise KeyboardInterrupt
            counted.append(info['seg_map_path'])
            return call(self, info)

        return wrapped

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dataset_counting.LabelCounter, '__call__',
                      fails_after(2))
        count_dataset(build(dataset), parts, 1)
    assert len(counted) == 2 and not (parts / STATISTICS_FILES[0]).exists()
    # a line that was being written
    with (parts / JOURNAL).open('a') as journal:
        journal.write('{"file": "')
    # a label map that has changed since
    write_labels(Path(counted[0]), SIZE, [1, 1, 1, 1, 2])
    with monkeypatch.context() as patch:
        patch.setattr(dataset_counting.LabelCounter, '__call__',
                      fails_after(5))
        count_dataset(build(dataset), parts, 1)
    assert len(counted) == 5 and counted.count(counted[0]) == 2
    assert not (parts / JOURNAL).exists()
    count_dataset(build(dataset), whole, 1)
    for name in STATISTICS_FILES:
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_counts_of_other_classes_are_not_continued(dataset, tmp_path):
    folder = tmp_path / 'out'
    folder.mkdir()
    job = json.dumps(dict(num_classes=5))
    file = build(dataset).get_data_info(0)['seg_map_path']
    (folder / JOURNAL).write_text(
        f'{job}\n' + json.dumps(dict(file=file, state=None, counts={'0': 1})))
    count_dataset(build(dataset), folder, 1)
    assert read(folder) == expected()


def test_a_dataset_without_label_maps_is_refused(dataset, count):
    dataset['data_prefix'] = dict(img_path='x')
    code, _, err = count(dict(dataset=dataset))
    assert code == 2 and '4 images and no label maps' in err

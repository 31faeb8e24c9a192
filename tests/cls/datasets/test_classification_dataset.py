# Copyright (c) mic_mm authors. All rights reserved.
"""Real image folders and list files, right and wrong ones."""
import numpy as np
import pytest
from mmengine.registry import DefaultScope
from PIL import Image

pytest.importorskip('mmpretrain')

from mic_mm.engine.data import PairIndex  # noqa: E402
from mic_mm.registry import DATASETS  # noqa: E402

CLASSES = ('zebra', 'ape', 'cow')  # not in alphabetical order
PIPELINE = [
    dict(type='LoadImageFromFile', imdecode_backend='pillow'),
    dict(type='PackInputs')
]


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def write_images(folder, classes=CLASSES, count=2):
    """Class folders; the grey level of an image tells its class."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            grey = np.full((4, 4, 3), 10 * CLASSES.index(name) if name in
                           CLASSES else 200, np.uint8)
            Image.fromarray(grey).save(folder / name / f'{i} a.png')


def build(folder, type='ClassificationDataset', **kwargs):
    kwargs = dict(dict(classes=CLASSES), **kwargs)
    return DATASETS.build(
        dict(type=f'mic_mm.{type}', data_root=str(folder), pipeline=PIPELINE,
             **kwargs))


def write_list(folder, lines, name='list.txt'):
    (folder / name).write_text(''.join(f'{line}\n' for line in lines))
    return name


def all_lines(folder):
    return [f'{path.relative_to(folder)} {CLASSES.index(path.parent.name)}'
            for path in sorted(folder.rglob('*.png'))]


def test_folders_are_numbered_in_the_order_of_the_classes(tmp_path):
    write_images(tmp_path)
    dataset = build(tmp_path)
    assert len(dataset) == 6
    for item in dataset:
        label = int(item['data_samples'].gt_label)
        assert int(item['inputs'][0, 0, 0]) == 10 * label


def test_lists_and_folders_give_the_same(tmp_path):
    write_images(tmp_path)
    folders = build(tmp_path)
    # Blanks in paths, as in Office-Home's `Real World`.
    listed = build(tmp_path, ann_file=write_list(tmp_path, all_lines(tmp_path)))

    def content(dataset):
        return {(i['img_path'], i['gt_label']) for i in
                map(dataset.get_data_info, range(len(dataset)))}

    assert content(folders) == content(listed)


def test_labels_of_a_list_are_left_unread(tmp_path):
    write_images(tmp_path)
    name = write_list(tmp_path, all_lines(tmp_path))
    dataset = build(tmp_path, ann_file=name, with_label=False)
    assert len(dataset) == 6
    for index in range(6):
        assert 'gt_label' not in dataset.get_data_info(index)
        assert dataset[index]['data_samples'].keys() == []


def test_a_list_without_labels_is_read(tmp_path):
    write_images(tmp_path)
    paths = [line.rsplit(' ', 1)[0] for line in all_lines(tmp_path)]
    dataset = build(tmp_path, ann_file=write_list(tmp_path, paths),
                    with_label=False)
    assert [i['img_path'] for i in map(dataset.get_data_info, range(6))] \
        == [str(tmp_path / path) for path in paths]


@pytest.mark.parametrize('line, message', [
    ('zebra/0 a.png 3', 'line 7: label 3 lies outside of the 3 classes'),
    ('zebra/0 a.png -1', 'line 7: label -1 lies outside'),
    ('zebra/0.png', "line 7: 'zebra/0.png' has no label.*with_label=False"),
    ('zebra/0.png cat', 'line 7.*has no label'),
])
def test_a_wrong_line_is_named(tmp_path, line, message):
    write_images(tmp_path)
    name = write_list(tmp_path, [*all_lines(tmp_path), line])
    with pytest.raises(ValueError, match=f'list.txt, {message}'):
        build(tmp_path, ann_file=name)


@pytest.mark.parametrize('listed', [True, False])
def test_a_class_without_image_is_named(tmp_path, listed):
    write_images(tmp_path)
    for path in (tmp_path / 'ape').iterdir():
        path.unlink()
    lists = dict(ann_file=write_list(tmp_path, all_lines(tmp_path))) \
        if listed else {}
    with pytest.raises(ValueError, match='1 of the 3 classes: ape'):
        build(tmp_path, **lists)
    assert len(build(tmp_path, allow_empty_classes=True, **lists)) == 4


def test_folders_that_are_not_the_classes_are_named(tmp_path):
    write_images(tmp_path, ('zebra', 'ape', 'dog', 'eel'))
    with pytest.raises(ValueError,
                       match=r"missing \['cow'\], not a class \['dog', 'eel'"):
        build(tmp_path)


@pytest.mark.parametrize('type', ['mic_mm.ClassificationDataset',
                                  'CustomDataset'])
def test_class_folders_that_differ_between_domains_are_named(tmp_path, type):
    write_images(tmp_path / 'source', ('ape', 'cow'))
    write_images(tmp_path / 'target', ('ape', 'eel'))
    domains = {
        name: dict(type=type, data_root=str(tmp_path / name),
                   pipeline=PIPELINE) for name in ('source', 'target')
    }
    with pytest.raises(
            ValueError,
            match=r"only in the source: \['cow'\].*target: \['eel'\]"):
        DATASETS.build(dict(type='mic_mm.DomainPairDataset', **domains))


def test_a_corrupt_image_is_named_in_evaluation_too(tmp_path):
    write_images(tmp_path)
    path = tmp_path / 'cow' / '0 a.png'
    path.write_bytes(path.read_bytes()[:40])
    dataset = build(tmp_path, test_mode=True)
    index = next(i for i in range(6)
                 if dataset.get_data_info(i)['img_path'] == str(path))
    with pytest.raises(OSError, match=f'{path} cannot be read'):
        dataset[index]


@pytest.mark.parametrize('type, classes, first, last', [
    ('VisDA2017', 12, 'aeroplane', 'truck'),
    ('OfficeHome', 65, 'Drill', 'Marker'),
    ('Office31', 31, 'back_pack', 'trash_can'),
])
def test_benchmarks_have_their_classes(tmp_path, type, classes, first, last):
    names = DATASETS.get(f'mic_mm.{type}').METAINFO['classes']
    assert len(set(names)) == classes
    assert (names[0], names[-1]) == (first, last)
    write_images(tmp_path, names, count=1)
    dataset = build(tmp_path, type, classes=None)
    assert tuple(dataset.metainfo['classes']) == names
    for index in range(classes):
        info = dataset.get_data_info(index)
        assert f'/{names[info["gt_label"]]}/' in info['img_path']


def test_several_domains_at_once(tmp_path):
    for name in ('art', 'clipart', 'product'):
        write_images(tmp_path / name)

    def domains(*names):
        return dict(type='ConcatDataset', datasets=[
            dict(type='mic_mm.ClassificationDataset', classes=CLASSES,
                 data_root=str(tmp_path / name), pipeline=PIPELINE)
            for name in names
        ])

    pair = DATASETS.build(
        dict(type='mic_mm.DomainPairDataset',
             source=domains('art', 'clipart'), target=domains('product')))
    assert (len(pair.source), len(pair.target)) == (12, 6)
    assert tuple(pair.metainfo['classes']) == CLASSES
    paths = {pair[PairIndex(i, 0, 0, 0)]['source']['data_samples'].img_path
             for i in range(12)}
    assert {path.split('/')[-3] for path in paths} == {'art', 'clipart'}


def test_several_domains_with_different_classes_are_refused(tmp_path):
    write_images(tmp_path / 'art')
    write_images(tmp_path / 'clipart', ('ape', 'cow'))
    with pytest.raises(ValueError, match='meta'):
        DATASETS.build(
            dict(type='ConcatDataset', datasets=[
                dict(type='mic_mm.ClassificationDataset',
                     data_root=str(tmp_path / name), pipeline=PIPELINE)
                for name in ('art', 'clipart')
            ]))

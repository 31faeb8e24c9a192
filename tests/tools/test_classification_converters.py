# Copyright (c) mic_mm authors. All rights reserved.
"""The converters on folders in the layout of the official archives."""
import re
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from PIL import Image

pytest.importorskip('mmpretrain')

from mic_mm.cls import Office31, OfficeHome, VisDA2017  # noqa: E402
from mic_mm.registry import DATASETS  # noqa: E402

TOOLS = {
    'visda2017': (VisDA2017, {'train': 'train', 'validation': 'validation'}),
    'officehome': (OfficeHome, {
        'Art': 'Art', 'Clipart': 'Clipart', 'Product': 'Product',
        'Real_World': 'Real World'}),
    'office31': (Office31, {
        name: f'{name}/images' for name in ('amazon', 'dslr', 'webcam')}),
}


def save(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def write_dataset(root, tool):
    kind, domains = TOOLS[tool]
    for folder in domains.values():
        for name in kind.METAINFO['classes']:
            save(root / folder / name / 'b.jpg')
            save(root / folder / name / 'a.jpg')
        # What lies beside the class folders in the archives.
        (root / folder / 'image_list.txt').write_text('aeroplane/a.png 0\n')


@pytest.fixture
def convert(run_tool):
    """Runs a converter; gives its exit code."""

    def run(tool, *arguments):
        with pytest.raises(SystemExit) as end:
            run_tool(f'dataset_converters/{tool}.py', '--nproc', 1, *arguments)
        return end.value.code

    return run


@pytest.mark.parametrize('tool', TOOLS)
def test_lists_give_each_image_the_label_of_its_folder(
        convert, tmp_path, tool):
    write_dataset(tmp_path, tool)
    assert convert(tool, tmp_path) == 0
    kind, domains = TOOLS[tool]
    classes = kind.METAINFO['classes']
    for name, folder in domains.items():
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            dataset = DATASETS.build(
                dict(type=f'mic_mm.{kind.__name__}', data_root=str(tmp_path),
                     ann_file=f'image_list/{name}.txt',
                     pipeline=[dict(type='LoadImageFromFile')]))
        assert len(dataset) == 2 * len(classes)
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            path = Path(info['img_path'])
            assert path.is_file()
            assert path.parent == tmp_path / folder / classes[info['gt_label']]


def test_labels_of_office_home_have_the_published_order(convert, tmp_path):
    write_dataset(tmp_path, 'officehome')
    convert('officehome', tmp_path)
    lines = (tmp_path / 'image_list/Real_World.txt').read_text().splitlines()
    assert lines[0] == 'Real World/Drill/a.jpg 0'
    assert 'Real World/Alarm_Clock/b.jpg 33' in lines
    assert lines[-1] == 'Real World/Marker/b.jpg 64'


def test_unreadable_images_are_named_and_left_out(convert, tmp_path, capsys):
    write_dataset(tmp_path, 'visda2017')
    bad = tmp_path / 'train' / 'horse' / 'a.jpg'
    bad.write_bytes(bad.read_bytes()[:50])
    assert convert('visda2017', tmp_path) == 1
    told = capsys.readouterr()
    assert 'train/horse/a.jpg: ' in told.err
    assert ': 24/24 after ' in told.out
    text = (tmp_path / 'image_list/train.txt').read_text()
    assert 'train/horse/a.jpg' not in text
    assert 'train/horse/b.jpg 4\n' in text
    assert len(text.splitlines()) == 23


def test_a_second_run_decodes_only_what_has_changed(
        convert, tmp_path, monkeypatch):
    write_dataset(tmp_path, 'visda2017')
    bad = tmp_path / 'train' / 'car' / 'a.jpg'
    bad.write_bytes(b'')
    convert('visda2017', tmp_path)
    decoded = []

    def spy(path):
        decoded.append(Path(path))
        return None

    monkeypatch.setattr('mic_mm.cls.dataset_tools.image_check.why_unreadable',
                        spy)
    assert convert('visda2017', tmp_path) == 1  # the bad one is remembered
    assert decoded == []
    save(bad)
    assert convert('visda2017', tmp_path) == 0
    assert decoded == [bad]
    convert('visda2017', tmp_path, '--force')
    assert len(decoded) == 1 + 48


def test_an_interrupted_run_goes_on(convert, tmp_path, monkeypatch):
    write_dataset(tmp_path, 'visda2017')
    decoded = []

    def spy(path):
        decoded.append(path)
        if len(decoded) == 30:  # in the second domain
            raise KeyboardInterrupt
        return None

    monkeypatch.setattr('mic_mm.cls.dataset_tools.image_check.why_unreadable',
                        spy)
    with pytest.raises(KeyboardInterrupt):
        convert('visda2017', tmp_path)
    assert not (tmp_path / 'image_list/validation.txt').exists()
    assert convert('visda2017', tmp_path) == 0
    assert len(decoded) == 48 + 1  # only the one at which it stopped twice


@pytest.mark.parametrize('change, message', [
    ('missing', r"validation .*missing \['bus'\]"),
    ('unknown', r"validation .*not a class \['boat'\]"),
    ('empty', 'no image: bus'),
    ('domain', "no folder 'validation'"),
])
def test_wrong_folders_are_named_and_nothing_is_written(
        convert, tmp_path, capsys, change, message):
    write_dataset(tmp_path, 'visda2017')
    folder = tmp_path / 'validation'
    if change in ('missing', 'empty'):
        for path in (folder / 'bus').iterdir():
            path.unlink()
        if change == 'missing':
            (folder / 'bus').rmdir()
    elif change == 'unknown':
        (folder / 'boat').mkdir()
    else:
        folder.rename(tmp_path / 'val')
    assert convert('visda2017', tmp_path) == 2
    assert re.search(message, ' '.join(capsys.readouterr().err.split()))
    assert not (tmp_path / 'image_list').exists()


def write_domainnet(root, names=('clipart', 'sketch')):
    for domain in names:
        for split in ('train', 'test'):
            lines = []
            for label, name in enumerate(('zebra', 'angel')):
                path = f'{domain}/{name}/{split}.jpg'
                save(root / path)
                lines.append(f'{path} {label}\n')
            (root / f'{domain}_{split}.txt').write_text(''.join(lines))


def test_domainnet_keeps_the_published_lists_and_names_the_classes(
        convert, tmp_path):
    write_domainnet(tmp_path)
    bad = tmp_path / 'sketch/angel/test.jpg'
    bad.write_bytes(b'no image')
    assert convert('domainnet', tmp_path, '--domains', 'clipart', 'sketch') == 1
    lists = tmp_path / 'image_list'
    assert (lists / 'classes.txt').read_text() == 'zebra\nangel\n'
    assert (lists / 'clipart_train.txt').read_text() \
        == (tmp_path / 'clipart_train.txt').read_text()
    assert (lists / 'sketch_test.txt').read_text() == 'sketch/zebra/test.jpg 0\n'
    assert (tmp_path / 'sketch_test.txt').read_text().count('\n') == 2


def test_domainnet_refuses_lists_with_different_classes(
        convert, tmp_path, capsys):
    write_domainnet(tmp_path)
    path = tmp_path / 'sketch_train.txt'
    path.write_text(path.read_text().replace('angel', 'angle'))
    assert convert('domainnet', tmp_path, '--domains', 'clipart', 'sketch') == 2
    assert "'angel'" in capsys.readouterr().err

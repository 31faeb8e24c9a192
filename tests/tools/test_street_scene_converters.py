# Copyright (c) mic_mm authors. All rights reserved.
"""The converters on small copies of the published layouts."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.scenes import write_image, write_labels

SIZE = (12, 20)
STATISTICS = ('sample_class_stats.json', 'sample_class_stats_dict.json',
              'samples_with_class.json')


@pytest.fixture
def gta(tmp_path):
    """Four images of GTA; stripes of known width."""
    root = tmp_path / 'gta'
    for name in '1234':
        write_image(root / f'images/0000{name}.png', SIZE)
        # road, unlabelled, car, bicycle
        write_labels(root / f'labels/0000{name}.png', SIZE, [7, 0, 26, 33])
    return root


def train_ids(path):
    return np.array(Image.open(path))


def test_gta_is_converted_and_counted(gta, convert):
    code, out, _ = convert('gta', gta, '--nproc', 2)
    assert code == 0
    assert '4 label maps: 4 converted, 0 were complete, 0 left out' in out
    expected = np.repeat([0, 255, 13, 18], 5)
    for name in '1234':
        found = train_ids(gta / f'labels/0000{name}_labelTrainIds.png')
        assert found.dtype == np.uint8
        assert np.array_equal(found, np.broadcast_to(expected, SIZE))
    file = str(gta / 'labels/00001_labelTrainIds.png')
    first, = [
        row for row in json.loads((gta / STATISTICS[0]).read_text())
        if row['file'] == file
    ]
    assert first == {'0': 60, '13': 60, '18': 60, 'file': file}
    assert ClassStatistics.read(gta).totals() == {0: 240, 13: 240, 18: 240}


def test_a_second_call_keeps_what_is_complete(gta, convert):
    convert('gta', gta)
    first = {name: (gta / name).read_bytes() for name in STATISTICS}
    kept = gta / 'labels/00001_labelTrainIds.png'
    before = kept.stat().st_mtime_ns
    # as an interrupted call of another converter leaves it
    broken = gta / 'labels/00002_labelTrainIds.png'
    broken.write_bytes(broken.read_bytes()[:40])
    (gta / 'labels/00003_labelTrainIds.png').unlink()
    code, out, _ = convert('gta', gta, '--nproc', 1)
    assert code == 0 and '2 converted, 2 were complete' in out
    assert kept.stat().st_mtime_ns == before
    assert {name: (gta / name).read_bytes() for name in STATISTICS} == first


def test_force_converts_again(gta, convert):
    convert('gta', gta)
    _, out, _ = convert('gta', gta, '--force')
    assert '4 converted, 0 were complete' in out


def test_bad_files_are_named_and_the_others_converted(gta, convert):
    (gta / 'labels/00001.png').write_bytes(b'no image')
    write_labels(gta / 'labels/00002.png', (12, 19), [7])
    (gta / 'images/00003.png').unlink()
    code, out, err = convert('gta', gta)
    assert code == 1
    assert '1 converted, 0 were complete, 3 left out' in out
    lines = err.splitlines()
    assert len(lines) == 3
    assert '00001.png: cannot be used' in lines[0]
    assert '00002' in lines[1] and '12x19' in lines[1] and '12x20' in lines[1]
    assert '00003' in lines[2] and 'does not exist' in lines[2]
    known = ClassStatistics.read(gta).counts
    assert [Path(f).name for f in known] == ['00004_labelTrainIds.png']


def test_broken_images_are_found_if_asked_for(gta, convert):
    image = gta / 'images/00004.png'
    image.write_bytes(image.read_bytes()[:-300])
    assert convert('gta', gta)[0] == 0
    code, _, err = convert('gta', gta, '--decode-images')
    assert code == 1 and '00004' in err and 'cannot be read' in err


def test_colours_in_the_place_of_ids_are_refused(gta, convert):
    write_image(gta / 'labels/00001.png', SIZE)
    code, _, err = convert('gta', gta)
    assert code == 1 and '00001.png' in err and 'mode RGB' in err


def test_a_wrong_folder_is_told(tmp_path, convert):
    code, _, err = convert('gta', tmp_path)
    assert code == 2 and 'There are no label maps' in err


@pytest.mark.parametrize('dataset, folder', [('gta', 'images'),
                                             ('cityscapes', 'leftImg8bit')])
def test_labels_without_a_folder_of_images_are_left_alone(
        dataset, folder, request, convert):
    root = request.getfixturevalue(dataset)
    convert(dataset, root)
    statistics = (root / STATISTICS[0]).read_bytes()
    (root / folder).rename(root / 'elsewhere')
    code, _, err = convert(dataset, root)
    assert code == 2 and f'no folder {root / folder}' in err
    assert (root / STATISTICS[0]).read_bytes() == statistics


def test_synthia_is_read_from_16_bits(tmp_path, convert):
    root = tmp_path / 'synthia'
    write_image(root / 'RGB/0000000.png', SIZE)
    labels = np.full((*SIZE, 3), 300, np.uint16)
    # road, sidewalk, car, void, bicycle in the red channel
    labels[..., 2] = np.repeat([3, 4, 8, 0, 11], 4)
    (root / 'GT/LABELS').mkdir(parents=True)
    cv2.imwrite(str(root / 'GT/LABELS/0000000.png'), labels)
    assert convert('synthia', root)[0] == 0
    found = train_ids(root / 'GT/LABELS/0000000_labelTrainIds.png')
    assert found[0].tolist() == np.repeat([0, 1, 13, 255, 18], 4).tolist()
    assert ClassStatistics.read(root).totals() == dict.fromkeys(
        [0, 1, 13, 18], 48)


@pytest.fixture
def cityscapes(tmp_path):
    root = tmp_path / 'cityscapes'
    for split, city in (('train', 'ulm'), ('val', 'bonn'), ('test', 'kiel')):
        for i in range(2):
            stem = f'{split}/{city}/{city}_00000{i}_000019'
            write_image(root / f'leftImg8bit/{stem}_leftImg8bit.png', SIZE)
            if split != 'test':
                write_labels(root / f'gtFine/{stem}_gtFine_labelIds.png',
                             SIZE, [7, 24])
    return root


def test_cityscapes_gets_lists_and_statistics_of_training(cityscapes, convert):
    code, out, _ = convert('cityscapes', cityscapes)
    assert code == 0 and '4 label maps: 4 converted' in out
    assert (cityscapes / 'train.txt').read_text() \
        == 'ulm/ulm_000000_000019\nulm/ulm_000001_000019\n'
    assert (cityscapes / 'val.txt').read_text().startswith('bonn/bonn_000000')
    assert len((cityscapes / 'test.txt').read_text().splitlines()) == 2
    statistics = ClassStatistics.read(cityscapes)
    assert statistics.totals() == {0: 240, 11: 240}
    assert all('/gtFine/train/ulm/' in file for file in statistics.counts)


def test_cityscapes_is_drawn_where_only_polygons_exist(cityscapes, convert):
    folder = cityscapes / 'gtFine/train/ulm'
    (folder / 'ulm_000000_000019_gtFine_labelIds.png').unlink()
    polygon = [[0, 0], [19, 0], [19, 11], [0, 11]]
    (folder / 'ulm_000000_000019_gtFine_polygons.json').write_text(
        json.dumps(
            dict(
                imgWidth=20,
                imgHeight=12,
                objects=[dict(label='sky', polygon=polygon)])))
    # where both exist the drawn one is not needed
    (folder / 'ulm_000001_000019_gtFine_polygons.json').write_text('{}')
    assert convert('cityscapes', cityscapes)[0] == 0
    labels = train_ids(folder / 'ulm_000000_000019_gtFine_labelTrainIds.png')
    assert (labels == 10).all() and labels.shape == SIZE


def test_bad_label_maps_are_not_listed(cityscapes, convert):
    name = 'gtFine/val/bonn/bonn_000001_000019_gtFine_labelIds.png'
    (cityscapes / name).write_bytes(b'')
    code, _, err = convert('cityscapes', cityscapes)
    assert code == 1 and name in err
    assert (cityscapes / 'val.txt').read_text() == 'bonn/bonn_000000_000019\n'

# Copyright (c) mic_mm authors. All rights reserved.
"""Boxes of annotation files: Sim10k (VOC) and KITTI."""
import json

import pytest

from mic_mm.testing.scenes import write_image

SIZE = (20, 40)  # height, width


def read(path):
    return json.loads(path.read_text())


def boxes_of(coco, image=0):
    return [(a['category_id'], a['bbox'], a['area'], a['iscrowd'])
            for a in coco['annotations'] if a['image_id'] == image]


def voc_object(name, *corners):
    names = ('xmin', 'ymin', 'xmax', 'ymax')
    box = ''.join(f'<{n}>{v}</{n}>' for n, v in zip(names, corners))
    return f'<object><name>{name}</name><bndbox>{box}</bndbox></object>'


def write_voc(root, stem, *objects):
    path = root / f'VOC2012/Annotations/{stem}.xml'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<annotation>{"".join(objects)}</annotation>')
    write_image(root / f'VOC2012/JPEGImages/{stem}.jpg', SIZE)


def test_sim10k_counts_pixels_from_one(tmp_path, convert):
    write_voc(tmp_path, '7', voc_object('car', 1, 1, 10, 5),
              voc_object('person', 3, 3, 9, 9))
    write_voc(tmp_path, '12', voc_object('car', 31, 11, 50, 20))
    code, out, _ = convert('sim10k', tmp_path)
    assert code == 0 and '2 images, 2 boxes; 1 objects left out' in out
    assert ': 2/2 after ' in out
    coco = read(tmp_path / 'annotations/sim10k_train.json')
    assert [i['file_name'] for i in coco['images']] == ['12.jpg', '7.jpg']
    # cut off at the edge of the image
    assert boxes_of(coco, 0) == [(1, [30, 10, 10, 10], 100, 0)]
    assert boxes_of(coco, 1) == [(1, [0, 0, 10, 5], 50, 0)]
    assert coco['categories'] == [dict(id=1, name='car')]


def test_sim10k_with_all_classes_replaces_the_file_of_one(tmp_path, convert):
    write_voc(tmp_path, '7', voc_object('car', 1, 1, 10, 5),
              voc_object('person', 3, 3, 9, 9))
    convert('sim10k', tmp_path)
    convert('sim10k', tmp_path, '--classes', 'car', 'motorbike', 'person')
    coco = read(tmp_path / 'annotations/sim10k_train.json')
    assert boxes_of(coco) == [(1, [0, 0, 10, 5], 50, 0),
                              (3, [2, 2, 7, 7], 49, 0)]


def test_sim10k_without_a_complete_box_is_named(tmp_path, convert):
    write_voc(tmp_path, '7', voc_object('car', 1, 1, 10))
    write_voc(tmp_path, '8', '<object>')
    code, out, err = convert('sim10k', tmp_path)
    assert code == 1 and '0 images' in out
    assert '7.xml: cannot be used: an object has no complete bndbox' in err
    assert '8.xml: cannot be used: it is no XML' in err


KITTI_LINE = '{} 0.00 0 -1.57 {} 1.5 1.6 3.7 0.0 1.7 20.0 -1.57'


@pytest.fixture
def kitti(tmp_path):
    for stem, lines in (('000001', [('Car', '4.50 2.00 39.00 19.00'),
                                    ('Van', '0.00 0.00 9.00 9.00'),
                                    ('DontCare', '1 1 5 5')]), ('000000',
                                                                [])):
        path = tmp_path / f'training/label_2/{stem}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join(KITTI_LINE.format(*x) for x in lines))
        write_image(tmp_path / f'training/image_2/{stem}.png', SIZE)
    return tmp_path


def test_kitti_has_inclusive_corners_from_zero(kitti, convert):
    code, out, _ = convert('kitti', kitti)
    assert code == 0
    assert '1 boxes; 2 objects left out' in out and '1 images have no' in out
    coco = read(kitti / 'annotations/kitti_train.json')
    assert [i['file_name'] for i in coco['images']] == [
        '000000.png', '000001.png']
    # a car that reaches the right and lower edge
    assert boxes_of(coco, 1) == [(1, [4.5, 2, 35.5, 18], 639, 0)]


def test_kitti_with_vans_as_cars(kitti, convert):
    convert('kitti', kitti, '--types', 'Car', 'Van')
    coco = read(kitti / 'annotations/kitti_train.json')
    assert boxes_of(coco, 1)[1] == (1, [0, 0, 10, 10], 100, 0)
    assert coco['categories'] == [dict(id=1, name='car')]


def test_kitti_with_a_short_line_is_named(kitti, convert):
    (kitti / 'training/label_2/000000.txt').write_text('Car 0 0 1')
    code, _, err = convert('kitti', kitti)
    assert code == 1
    assert '000000.txt: cannot be used: line 1 has 4 columns of 15' in err


@pytest.mark.parametrize('dataset, place', [
    ('sim10k', 'VOC2012/Annotations/*.xml'),
    ('kitti', 'training/label_2/*.txt'),
])
def test_a_folder_without_annotations_is_refused(dataset, place, tmp_path,
                                                 convert):
    code, _, err = convert(dataset, tmp_path)
    assert code == 2 and f'no annotations {tmp_path}/{place}' in err

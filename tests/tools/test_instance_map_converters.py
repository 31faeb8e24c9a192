# Copyright (c) mic_mm authors. All rights reserved.
"""Boxes of instance maps: Cityscapes and its fog."""
import json

import cv2
import numpy as np
import pytest
from mmdet.datasets import CocoDataset
from PIL import Image

from mic_mm.testing.scenes import write_image

SIZE = (20, 40)  # height, width
CITIES = ('zurich', 'aachen')
MIC_TRAIN = 'annotations/instancesonly_filtered_gtFine_train_poly.json'
FOGGY_TRAIN = 'annotations/foggy_instancesonly_filtered_gtFine_train_poly.json'


def write_instances(path):
    """Instances whose boxes are known by hand."""
    instances = np.zeros(SIZE, np.uint16)
    instances[2:8, 3:13] = 26001  # a car of 6 x 10 pixels
    instances[12:16, 0:5] = 24000  # a person at the edge ...
    instances[13, 2] = 0  # ... with a hole
    instances[10:14, 20:30] = 33002  # a bicycle of which a pixel ...
    instances[17, 35] = 33002  # ... is cut off
    instances[0:4, 30:39] = 24  # a group of persons
    instances[18, 10:14] = 29001  # a caravan is not evaluated
    instances[19, 20:26] = 25003  # a rider of one row
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), instances)


@pytest.fixture
def cityscapes(tmp_path):
    root = tmp_path / 'cityscapes'
    for split in ('train', 'val'):
        for city in CITIES:
            stem = f'{split}/{city}/{city}_0_1'
            write_image(root / f'leftImg8bit/{stem}_leftImg8bit.png', SIZE)
            write_instances(root / f'gtFine/{stem}_gtFine_instanceIds.png')
    return root


def read(path):
    return json.loads(path.read_text())


def boxes_of(coco, image=0):
    return [(a['category_id'], a['bbox'], a['area'], a['iscrowd'])
            for a in coco['annotations'] if a['image_id'] == image]


def test_cityscapes_by_the_rules_of_the_original(cityscapes, convert):
    code, out, _ = convert('cityscapes_detection', cityscapes)
    assert code == 0
    assert '2 images, 6 boxes; 2 objects left out' in out
    coco = read(cityscapes / MIC_TRAIN)
    assert [c['name'] for c in coco['categories']] == [
        'person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle',
        'bicycle']
    assert [c['id'] for c in coco['categories']] == list(range(1, 9))
    # sorted, with the split
    assert [i['file_name'] for i in coco['images']] == [
        'train/aachen/aachen_0_1_leftImg8bit.png',
        'train/zurich/zurich_0_1_leftImg8bit.png']
    assert (coco['images'][0]['width'], coco['images'][0]['height']) == (40,
                                                                         20)
    # The bicycle has a sliver, the group no number.
    assert boxes_of(coco) == [(1, [0, 12, 5, 4], 19, 0),
                              (2, [20, 19, 6, 1], 6, 0),
                              (3, [3, 2, 10, 6], 60, 0)]


def test_cityscapes_by_the_rules_of_mmdetection(cityscapes, convert):
    code, _, _ = convert('cityscapes_detection', cityscapes, '--style',
                         'mmdet')
    assert code == 0
    coco = read(cityscapes /
                'annotations/instancesonly_filtered_gtFine_train.json')
    assert coco['images'][0]['file_name'].startswith('aachen/')
    assert boxes_of(coco) == [(24, [30, 0, 9, 4], 36, 1),
                              (24, [0, 12, 5, 4], 19, 0),
                              (25, [20, 19, 6, 1], 6, 0),
                              (26, [3, 2, 10, 6], 60, 0),
                              (33, [20, 10, 16, 8], 41, 0)]
    assert not (cityscapes / MIC_TRAIN).exists()


@pytest.mark.parametrize('points, kept', [
    ([(17, 35)], False),
    ([(17, 35), (17, 36)], False),
    ([(17, 35), (16, 36)], False),
    ([(17, 35), (17, 36), (17, 37)], True),
    ([(17, 35), (16, 36), (15, 37)], True),
])
def test_instance_with_a_sliver_is_dropped(points, kept, cityscapes, convert):
    for path in cityscapes.glob('gtFine/train/*/*.png'):
        instances = np.zeros(SIZE, np.uint16)
        instances[2:8, 3:13] = 26001
        for row, column in points:
            instances[row, column] = 26001
        cv2.imwrite(str(path), instances)
    convert('cityscapes_detection', cityscapes)
    assert len(boxes_of(read(cityscapes / MIC_TRAIN))) == kept


def test_result_is_read_by_the_stock_dataset(cityscapes, convert):
    convert('cityscapes_detection', cityscapes)
    dataset = CocoDataset(
        ann_file=str(cityscapes / MIC_TRAIN),
        data_prefix=dict(img=str(cityscapes / 'leftImg8bit')),
        metainfo=dict(classes=('car', )),
        pipeline=[])
    info = dataset.get_data_info(1)
    assert Image.open(info['img_path']).size == (40, 20)
    assert info['instances'] == [
        dict(ignore_flag=0, bbox=[3, 2, 13, 8], bbox_label=0)]


def test_calls_do_not_depend_on_processes(cityscapes, convert):
    convert('cityscapes_detection', cityscapes)
    first = (cityscapes / MIC_TRAIN).read_bytes()
    code, _, _ = convert('cityscapes_detection', cityscapes, '--force',
                         '--nproc', 2)
    assert code == 0 and (cityscapes / MIC_TRAIN).read_bytes() == first


def test_complete_files_are_kept(cityscapes, convert):
    convert('cityscapes_detection', cityscapes)
    before = (cityscapes / MIC_TRAIN).stat().st_mtime_ns
    _, out, _ = convert('cityscapes_detection', cityscapes)
    assert out.count('complete, nothing to do') == 2
    assert (cityscapes / MIC_TRAIN).stat().st_mtime_ns == before


def test_unreadable_files_are_named_and_tried_again(cityscapes, convert):
    broken, = cityscapes.glob('gtFine/train/zurich/*.png')
    content = broken.read_bytes()
    broken.write_bytes(content[:60])
    missing, = cityscapes.glob('leftImg8bit/train/aachen/*.png')
    moved = missing.rename(missing.with_suffix('.moved'))
    code, out, err = convert('cityscapes_detection', cityscapes)
    assert code == 1
    assert f'{broken}: cannot be used' in err
    assert f'{missing} does not exist' in err
    assert 'train_poly.json: 0 images' in out
    moved.rename(missing)
    code, out, err = convert('cityscapes_detection', cityscapes)
    assert code == 1 and str(missing) not in err
    assert 'train_poly.json: 1 images' in out
    broken.write_bytes(content)
    code, out, _ = convert('cityscapes_detection', cityscapes)
    assert code == 0 and 'train_poly.json: 2 images' in out
    assert not list((cityscapes / 'annotations').glob('.*'))


def test_interrupted_conversion_goes_on(cityscapes, convert, monkeypatch):
    from mic_mm.det.dataset_tools import conversion
    from mic_mm.det.dataset_tools.instance_map import InstanceMapReader
    full = InstanceMapReader.__call__
    done = []

    def stop_at_second(self, item):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(item.file_name)
        return full(self, item)

    monkeypatch.setattr(InstanceMapReader, '__call__', stop_at_second)
    monkeypatch.setattr(
        conversion, 'run_in_order',
        lambda function, items, processes, title: map(function, items))
    with pytest.raises(KeyboardInterrupt):
        convert('cityscapes_detection', cityscapes)
    assert not (cityscapes / MIC_TRAIN).exists()
    seen = []
    monkeypatch.setattr(
        InstanceMapReader, '__call__',
        lambda self, item: seen.append(item.file_name) or full(self, item))
    convert('cityscapes_detection', cityscapes)
    assert done[0] not in seen and len(seen) == 3
    assert len(read(cityscapes / MIC_TRAIN)['images']) == 2


def test_instance_map_of_another_size_is_named(cityscapes, convert):
    image, = cityscapes.glob('leftImg8bit/train/aachen/*.png')
    write_image(image, (20, 41))
    code, _, err = convert('cityscapes_detection', cityscapes)
    assert code == 1
    assert '20x40 (height x width), but its image' in err and '20x41' in err


def test_folder_without_images_is_refused(tmp_path, convert):
    code, _, err = convert('cityscapes_detection', tmp_path)
    assert code == 2 and 'leftImg8bit/train/<city>' in err


@pytest.mark.parametrize('beta, prefix', [
    ('0.02', 'foggy_'), ('0.005', 'foggy_beta_0.005_')])
def test_fog_of_one_density(beta, prefix, cityscapes, convert, tmp_path):
    foggy = tmp_path / 'foggy'
    for split in ('train', 'val'):
        for density in ('0.005', '0.01', '0.02'):
            for city in CITIES:
                write_image(
                    foggy / f'leftImg8bit_foggy/{split}/{city}/{city}_0_1_'
                    f'leftImg8bit_foggy_beta_{density}.png', SIZE)
    code, _, _ = convert('foggy_cityscapes', foggy, '--cityscapes',
                         cityscapes, '--beta', beta)
    assert code == 0
    coco = read(foggy / f'annotations/{prefix}instancesonly_filtered_gtFine_'
                'train_poly.json')
    image, _ = coco['images']
    assert image['file_name'] == ('train/aachen/aachen_0_1_leftImg8bit_foggy_'
                                  f'beta_{beta}.png')
    assert len(boxes_of(coco)) == 3
    assert (foggy / FOGGY_TRAIN).exists() == (beta == '0.02')

# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mic_mm.registry import DATASETS
from mic_mm.seg.transforms import CheckLabels
from mic_mm.testing.scenes import write_image, write_labels


def results(labels, image_size=None):
    return dict(
        gt_seg_map=labels,
        ori_shape=image_size or labels.shape,
        img_path='image.png',
        seg_map_path='labels.png')


def test_class_indices_and_ignored_pixels_pass():
    labels = np.array([[0, 18], [255, 3]], np.uint8)
    given = results(labels)
    assert CheckLabels(num_classes=19)(given) is given


def test_images_without_labels_pass():
    given = dict(img_path='image.png', ori_shape=(6, 8))
    assert CheckLabels(num_classes=19)(given) is given


@pytest.mark.parametrize('value', [19, 34, 254])
def test_labels_outside_of_the_classes_are_named_with_their_file(value):
    labels = np.array([[0, value], [255, value]], np.uint8)
    with pytest.raises(
            ValueError, match=rf'labels.png.*0 to 18.*{value} \(2 pixels\)'):
        CheckLabels(num_classes=19)(results(labels))


def test_another_ignore_index_is_allowed_and_255_is_not():
    check = CheckLabels(num_classes=3, ignore_index=7)
    assert check(results(np.array([[2, 7]], np.uint8)))
    with pytest.raises(ValueError, match='255'):
        check(results(np.array([[2, 255]], np.uint8)))


def test_another_size_than_the_image_is_refused_by_file():
    labels = np.zeros((6, 8), np.uint8)
    with pytest.raises(
            ValueError, match=r'labels.png is \(6, 8\).*image.png is \(6, 9\)'):
        CheckLabels(num_classes=19)(results(labels, (6, 9)))


def test_a_pair_of_different_size_can_be_skipped(tmp_path):
    init_default_scope('mmseg')
    sizes = dict(a=(6, 8), b=(6, 9))
    for name, size in sizes.items():
        write_image(tmp_path / 'img' / f'{name}.png', (6, 8))
        write_labels(tmp_path / 'ann' / f'{name}.png', size, [0, 1])
    dataset = DATASETS.build(
        dict(
            type='BaseSegDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='img', seg_map_path='ann'),
            img_suffix='.png',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(
                    type='mic_mm.CheckLabels',
                    num_classes=2,
                    different_size='skip'),
                dict(type='PackSegInputs')
            ]))
    np.random.seed(0)
    assert dataset[1]['data_samples'].img_path.endswith('a.png')


def test_a_skipped_pair_is_logged_by_name(caplog, monkeypatch):
    # MMEngine's logger does not propagate to the one that caplog reads.
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'handlers', [caplog.handler])
    check = CheckLabels(num_classes=2, different_size='skip')
    assert check(results(np.zeros((6, 8), np.uint8), (6, 9))) is None
    assert 'labels.png' in caplog.text and 'image.png' in caplog.text


def test_unknown_choice_is_refused():
    with pytest.raises(ValueError, match="different_size='warn'"):
        CheckLabels(num_classes=2, different_size='warn')

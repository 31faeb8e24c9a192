# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmseg.datasets import CityscapesDataset
from PIL import Image

from mic_mm.registry import METRICS

META = CityscapesDataset.METAINFO
# From the table of the published labels.
LABEL_IDS = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31,
             32, 33]


def export(folder, prediction, paths=('a/ulm_leftImg8bit.png', ), meta=META,
           **options):
    metric = METRICS.build(
        dict(
            type='mic_mm.PredictionExport',
            output_dir=str(folder / 'out'),
            **options))
    metric.dataset_meta = meta
    data = torch.from_numpy(prediction)[None]
    for path in paths:
        metric.process({}, [
            dict(pred_sem_seg=dict(data=data), img_path=path)
        ])
    assert metric.evaluate(len(paths)) == {}
    return sorted((folder / 'out').glob('*'))


@pytest.fixture
def prediction():
    """Every class once."""
    return np.arange(19, dtype=np.int64).reshape(1, 19).repeat(3, 0)


@pytest.mark.parametrize('ids', ['train', 'cityscapes'])
def test_pixels_are_ids_and_colours_those_of_the_classes(
        tmp_path, prediction, ids):
    (path, ) = export(tmp_path, prediction, ids=ids)
    assert path.name == 'ulm_leftImg8bit.png'
    image = Image.open(path)
    expected = range(19) if ids == 'train' else LABEL_IDS
    assert np.array(image).tolist() == [list(expected)] * 3
    colours = np.array(image.convert('RGB'))[0]
    assert colours.tolist() == [list(c) for c in META['palette']]


def test_without_palette_pixels_are_grey_values(tmp_path, prediction):
    (path, ) = export(tmp_path, prediction, ids='cityscapes', palette=False)
    image = Image.open(path)
    assert image.mode == 'L'
    assert np.array(image)[0].tolist() == LABEL_IDS


def test_the_end_of_names_can_be_replaced(tmp_path, prediction):
    (path, ) = export(
        tmp_path,
        prediction,
        paths=['x/GOPR_frame_000001_rgb_anon.png'],
        suffix=('_rgb_anon', '_gt_labelTrainIds'))
    assert path.name == 'GOPR_frame_000001_gt_labelTrainIds.png'


def test_an_unexpected_name_is_refused(tmp_path, prediction):
    with pytest.raises(ValueError, match="a.jpg does not end in '_rgb_anon'"):
        export(
            tmp_path, prediction, paths=['a.jpg'], suffix=('_rgb_anon', ''))


def test_images_of_one_name_are_refused(tmp_path, prediction):
    with pytest.raises(ValueError, match='x/1.png and y/1.png'):
        export(tmp_path, prediction, paths=['x/1.png', 'y/1.png'])


def test_ids_of_cityscapes_need_its_classes(tmp_path, prediction):
    meta = dict(classes=('a', ) * 20, palette=[[0, 0, 0]] * 20)
    with pytest.raises(ValueError, match='19 classes.*has 20'):
        export(tmp_path, prediction, meta=meta, ids='cityscapes')


def test_unknown_ids_are_refused(tmp_path, prediction):
    with pytest.raises(ValueError, match="ids='label'"):
        export(tmp_path, prediction, ids='label')

# Copyright (c) mic_mm authors. All rights reserved.
"""The dataset fragments of configs/_base_ read data in the stated layout."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.apis.utils import _preprare_data

from mic_mm.engine.data import PairIndex
from mic_mm.registry import DATASETS, METRICS
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.scenes import write_image, write_labels

CONFIGS = Path(__file__).parents[3] / 'configs' / '_base_' / 'datasets'
PAIRS = sorted(path.stem for path in CONFIGS.glob('uda_*_to_*[0-9]x[0-9]*.py'))
# data set: height and width, images, labels
FILES = {
    'gta': ((44, 80), ['images/1.png'], ['labels/1_labelTrainIds.png']),
    'synthia': ((45, 76), ['RGB/1.png'], ['GT/LABELS/1_labelTrainIds.png']),
    'cityscapes': ((512, 1024), [
        'leftImg8bit/train/ulm/a_leftImg8bit.png',
        'leftImg8bit/val/bonn/b_leftImg8bit.png',
        'leftImg8bit/test/kiel/c_leftImg8bit.png'
    ], [
        'gtFine/train/ulm/a_gtFine_labelTrainIds.png',
        'gtFine/val/bonn/b_gtFine_labelTrainIds.png'
    ]),
    'acdc': ((54, 96), [
        'rgb_anon/fog/train/G/a_rgb_anon.png',
        'rgb_anon/fog/val/G/b_rgb_anon.png',
        'rgb_anon/fog/test/G/c_rgb_anon.png'
    ], ['gt/fog/val/G/b_gt_labelTrainIds.png']),
    'dark_zurich': ((54, 96), [
        'rgb_anon/train/night/G/a_rgb_anon.png',
        'rgb_anon/val/night/G/b_rgb_anon.png',
        'rgb_anon/test/night/G/c_rgb_anon.png'
    ], ['gt/val/night/G/b_gt_labelTrainIds.png'])
}


def write_data(root):
    for name, (size, images, labels) in FILES.items():
        for image in images:
            write_image(root / name / image, size)
        for label in labels:
            write_labels(root / name / label, size, [0, 1, 4, 0, 11, 18])
        ClassStatistics({labels[0]: {0: 3500, 11: 3200}}).write(root / name)


def moved(cfg, root):
    """The config with other data roots."""
    if isinstance(cfg, dict):
        return type(cfg)({k: moved(v, root) for k, v in cfg.items()})
    if isinstance(cfg, list):
        return [moved(value, root) for value in cfg]
    if isinstance(cfg, str) and cfg.startswith('data/'):
        return str(root / cfg.removeprefix('data/'))
    return cfg


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(cfg)


@pytest.mark.parametrize('name', PAIRS)
def test_pairs_are_crops_with_labels_of_the_source_only(name, tmp_path):
    write_data(tmp_path)
    cfg = moved(Config.fromfile(CONFIGS / f'{name}.py').to_dict(), tmp_path)
    pairs = build(cfg['train_dataloader']['dataset'])
    side = int(name.split('x')[-1])
    for position in range(2):
        pair = pairs[PairIndex(0, 0, position, 0)]
        for domain in ('source', 'target'):
            assert pair[domain]['inputs'].shape == (3, side, side)
        assert pair['source']['data_samples'].gt_sem_seg.shape == (side, side)
        target = list(pair['target']['data_samples'].keys())
        has_margins = 'cityscapes_1024' in name
        assert target == ['pseudo_label_valid'] * has_margins


@pytest.mark.parametrize('name', PAIRS)
def test_images_are_resized_as_in_the_original(name, tmp_path):
    """Sizes before cropping, from images of the sizes that were published."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    published = dict(gta=(1914, 1052), synthia=(1280, 760),
                     cityscapes=(2048, 1024), acdc=(1920, 1080),
                     darkzurich=(1920, 1080))
    expected = {
        ('gta', 512): (1280, 704),
        ('gta', 1024): (2560, 1407),
        ('synthia', 512): (1280, 760),
        ('synthia', 1024): (2560, 1520),
        ('cityscapes', 512): (1024, 512),
        ('cityscapes', 1024): (2048, 1024),
        ('acdc', 1024): (1920, 1080),
        ('darkzurich', 1024): (1920, 1080)
    }
    _, source, _, target, side = name.replace('x', '_').split('_')[:5]
    datasets = cfg.train_dataloader.dataset
    for domain, dataset in ((source, datasets.source.dataset),
                            (target, datasets.target)):
        scale = next(t.scale for t in dataset.pipeline if t.type == 'Resize')
        width, height = published[domain]
        factor = min(max(scale) / max(width, height),
                     min(scale) / min(width, height))
        size = int(width * factor + 0.5), int(height * factor + 0.5)
        assert size == expected[domain, int(side)]


@pytest.mark.parametrize('name', PAIRS)
def test_rare_classes_follow_the_crop_size_and_can_be_switched_off(
        name, tmp_path):
    write_data(tmp_path)
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    ratio = cfg.train_dataloader.dataset.source.min_crop_ratio
    assert ratio == (2.0 if '1024' in name else 0.5)
    cfg.merge_from_dict(
        {'train_dataloader.dataset.source.statistics': None})
    source = build(moved(cfg.to_dict(), tmp_path)['train_dataloader']
                   ['dataset']['source'])
    assert source.rare_classes is None and len(source) == 1


@pytest.mark.parametrize('name', PAIRS)
def test_validation_sees_labels_at_the_stored_size(name, tmp_path):
    write_data(tmp_path)
    cfg = moved(Config.fromfile(CONFIGS / f'{name}.py').to_dict(), tmp_path)
    dataset = build(cfg['val_dataloader']['dataset'])
    assert len(dataset) == 1
    sample = dataset[0]['data_samples']
    assert sample.gt_sem_seg.shape == sample.ori_shape
    assert Path(sample.img_path).name.startswith('b_')
    metric = METRICS.build(cfg['val_evaluator'])
    metric.dataset_meta = dataset.metainfo
    assert set(metric.class_subsets) == (
        {'mIoU16', 'mIoU13'} if 'synthia' in name else set())


@pytest.mark.parametrize('name', PAIRS)
def test_inference_on_an_image_finds_its_pipeline(name, tmp_path):
    """As ``mmseg.apis.inference_model`` does, which takes the labels out."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    image = write_image(tmp_path / 'any.png', (24, 40))
    with DefaultScope.overwrite_default_scope('mmseg'):
        data, _ = _preprare_data(str(image), SimpleNamespace(cfg=cfg))
    assert data['data_samples'][0].ori_shape == (24, 40)


@pytest.mark.parametrize('name', PAIRS)
def test_images_for_the_server_need_no_labels(name, tmp_path):
    write_data(tmp_path)
    cfg = moved(Config.fromfile(CONFIGS / f'{name}.py').to_dict(), tmp_path)
    dataset = build(cfg['server_dataloader']['dataset'])
    (item, ) = [dataset[i] for i in range(len(dataset))]
    assert Path(item['data_samples'].img_path).name.startswith('c_')
    assert 'gt_sem_seg' not in item['data_samples']


def test_the_supervised_fragment_has_labels_of_the_target(tmp_path):
    write_data(tmp_path)
    cfg = Config.fromfile(CONFIGS / 'cityscapes_to_cityscapes_512x512.py')
    cfg = moved(cfg.to_dict(), tmp_path)
    np.random.seed(0)
    item = build(cfg['train_dataloader']['dataset'])[0]
    labels = item['data_samples'].gt_sem_seg.data
    assert item['inputs'].shape == (3, 512, 512)
    assert set(torch.unique(labels).tolist()) <= {0, 1, 4, 11, 18}
    assert len(torch.unique(labels)) > 1

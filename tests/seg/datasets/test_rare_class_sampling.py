# Copyright (c) mic_mm authors. All rights reserved.
import copy
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import DefaultScope

from mic_mm.engine.data import DomainPairSampler, PairIndex
from mic_mm.registry import DATASETS
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.scenes import write_image, write_labels

SIZE = (32, 64)
# classes of the stripes of each label map; class 2 is rare
STRIPES = dict(a=[0, 0, 0, 0, 0, 0, 0, 2], b=[0, 1, 0, 1], c=[0, 1],
               d=[1, 1, 1, 0])
CROP = (32, 16)


def counts():
    """Pixels of each class, from the definition of the stripes."""
    return {
        f'{name}.png': {
            c: SIZE[0] * SIZE[1] * stripes.count(c) // len(stripes)
            for c in set(stripes)
        }
        for name, stripes in STRIPES.items()
    }


@pytest.fixture
def source(tmp_path):
    """Config of a small labelled dataset, and its statistics on disk."""
    for seed, (name, stripes) in enumerate(STRIPES.items()):
        write_image(tmp_path / 'img' / f'{name}.png', SIZE, seed)
        write_labels(tmp_path / 'ann' / f'{name}.png', SIZE, stripes)
    ClassStatistics(counts()).write(tmp_path)
    return dict(
        type='BaseSegDataset',
        data_root=str(tmp_path),
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        img_suffix='.png',
        metainfo=dict(classes=('a', 'b', 'c'), palette=[[0] * 3] * 3),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomCrop', crop_size=CROP),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs')
        ])


def build(source, **options):
    options.setdefault('statistics', source.get('data_root'))
    options.setdefault('min_pixels', 100)
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(
            dict(type='mic_mm.RareClassSampling', dataset=source, **options))


def labels_of(packed):
    return packed['data_samples'].gt_sem_seg.data[0]


def test_crops_have_the_drawn_class(source):
    dataset = build(source, temperature=0.01, min_crop_ratio=0.5)
    np.random.seed(0)
    items = [dataset[0] for _ in range(200)]
    # At this temperature the rare class is always drawn, ...
    assert dataset.rare_classes.probabilities[2] > 1 - 1e-9
    assert {i['data_samples'].img_path[-5:] for i in items} == {'a.png'}
    # ... and 7 of the 49 places of a crop have more than 50 pixels of it
    # (see below); the standard error is 0.03.
    enough = [(labels_of(item) == 2).sum() > 50 for item in items]
    assert np.mean(enough) == pytest.approx(1 - (42 / 49)**11, abs=0.1)
    assert all(item['inputs'].shape == (3, *CROP) for item in items)


def test_without_redraws_crops_are_as_the_pipeline_makes_them(source):
    dataset = build(source, temperature=0.01, max_redraws=0)
    np.random.seed(0)
    enough = [(labels_of(dataset[0]) == 2).sum() > 50 for _ in range(200)]
    # The stripe is 8 of 64 columns wide at the right end: of the 49 places
    # of a crop of 16 columns, those with more than 50/32 columns of it.
    assert np.mean(enough) == pytest.approx(7 / 49, abs=0.09)


def test_images_and_labels_of_a_crop_belong_together(source):
    dataset = build(source, temperature=100.)
    np.random.seed(0)
    plain = {}
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        plain[info['img_path']] = _stored(info)
    for _ in range(20):
        packed = dataset[0]
        sample = packed['data_samples']
        image, labels = plain[sample.img_path]
        crop, crop_labels = packed['inputs'], labels_of(packed)
        if sample.flip:
            crop, crop_labels = crop.flip(-1), crop_labels.flip(-1)
        places = [
            x for x in range(SIZE[1] - CROP[1] + 1)
            if torch.equal(image[..., x:x + CROP[1]], crop)
        ]
        (x, ) = places
        assert torch.equal(labels[:, x:x + CROP[1]], crop_labels)


def _stored(info):
    image = torch.from_numpy(cv2.imread(info['img_path']))
    labels = torch.from_numpy(cv2.imread(info['seg_map_path'], -1))
    return image.permute(2, 0, 1), labels.long()


def test_each_image_is_decoded_once(source, monkeypatch):
    loads = []
    load = LoadImageFromFile.transform
    monkeypatch.setattr(
        LoadImageFromFile, 'transform',
        lambda self, results: loads.append(1) or load(self, results))
    # No crop can have that many pixels of a class.
    dataset = build(source, min_crop_ratio=100., max_redraws=10)
    crops = []
    crop = dataset._pipeline.crop
    dataset._pipeline.crop = lambda loaded: crops.append(1) or crop(loaded)
    dataset[0]
    assert len(loads) == 1 and len(crops) == 11


def test_repeated_crops_are_distributed_like_whole_pipelines(source):
    """Places of the 3rd of 3 crops of one image against single crops."""
    image_a = copy.deepcopy(source)
    image_a['indices'] = [0]
    repeated = build(image_a, min_crop_ratio=100., max_redraws=2,
                     skip_unknown_files=True)
    single = build(image_a, min_crop_ratio=0., max_redraws=0,
                   skip_unknown_files=True)

    def histogram(dataset):
        np.random.seed(1)
        pixels = [int((labels_of(dataset[0]) == 2).sum()) for _ in range(600)]
        flips = np.mean([dataset[0]['data_samples'].flip for _ in range(300)])
        return np.mean(np.array(pixels) > 0), flips

    first, second = histogram(repeated), histogram(single)
    assert np.allclose(first, second, atol=0.1)
    assert first[0] == pytest.approx(8 / 49, abs=0.06)


def pair(source, **options):
    target = copy.deepcopy(source)
    target['data_prefix'] = dict(img_path='img')
    target['pipeline'] = [
        dict(type='LoadImageFromFile'),
        dict(type='RandomCrop', crop_size=CROP),
        dict(type='PackSegInputs')
    ]
    options = dict(
        statistics=source['data_root'], min_pixels=100, **options)
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(
            dict(
                type='mic_mm.DomainPairDataset',
                source=dict(
                    type='mic_mm.RareClassSampling',
                    dataset=source,
                    **options),
                target=target))


def test_a_pair_depends_on_seed_and_position_only(source):
    dataset = pair(source, temperature=1.)
    np.random.seed(0)
    once = dataset[PairIndex(0, 0, 5, 9)]['source']
    np.random.seed(1)
    again = dataset[PairIndex(3, 0, 5, 9)]['source']
    assert torch.equal(once['inputs'], again['inputs'])
    others = [
        dataset[PairIndex(0, 0, position, seed)]['source']['inputs']
        for position, seed in [(6, 9), (5, 10)]
    ]
    assert not any(torch.equal(once['inputs'], other) for other in others)


def test_two_ranks_and_a_resumed_run_draw_what_one_run_draws(
        source, monkeypatch):
    dataset = pair(source, temperature=1.)

    def draw(rank, world_size, skip, number):
        module = 'mic_mm.engine.data.domain_pair_sampler.get_dist_info'
        monkeypatch.setattr(module, lambda: (rank, world_size))
        sampler = DomainPairSampler(dataset, seed=3)
        sampler.skip(skip)
        return [
            dataset[index]['source']['inputs']
            for index in itertools.islice(sampler, number)
        ]

    single = draw(0, 1, 0, 8)
    resumed = draw(0, 1, 5, 3)
    ranks = [draw(rank, 2, 1, 3) for rank in range(2)]
    assert all(map(torch.equal, single[5:], resumed))
    both = [image for images in zip(*ranks) for image in images]
    assert all(map(torch.equal, single[2:], both))


def test_classes_of_both_domains_are_still_compared(source):
    other = copy.deepcopy(source)
    other['metainfo'] = dict(classes=('a', 'b'), palette=[[0] * 3] * 2)
    with pytest.raises(ValueError, match="only in the source: \\['c'\\]"):
        with DefaultScope.overwrite_default_scope('mmseg'):
            DATASETS.build(
                dict(
                    type='mic_mm.DomainPairDataset',
                    source=build(source),
                    target=other))


def test_statistics_none_switches_it_off(source):
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(
            dict(
                type='mic_mm.RareClassSampling',
                dataset=source,
                statistics=None))
    paths = [dataset[i]['data_samples'].img_path[-5:] for i in range(4)]
    assert paths == ['a.png', 'b.png', 'c.png', 'd.png']


def test_statistics_of_other_files_are_refused_by_name(source):
    extra = {**counts(), 'somewhere/other.png': {0: 500}}
    ClassStatistics(extra).write(source['data_root'])
    with pytest.raises(ValueError, match='1 of 5.*somewhere/other.png'):
        build(source)
    dataset = build(source, skip_unknown_files=True)
    assert 'somewhere/other.png' not in dataset.rare_classes.candidates[0]


def test_statistics_of_another_data_set_cannot_be_skipped(source):
    ClassStatistics({'other.png': {0: 500}}).write(source['data_root'])
    with pytest.raises(ValueError, match='1 of 1.*other.png'):
        build(source, skip_unknown_files=True)


def test_statistics_of_more_classes_are_refused(source):
    stats = counts()
    stats['a.png'][7] = 4000
    ClassStatistics(stats).write(source['data_root'])
    with pytest.raises(ValueError, match=r'classes \[7\].*0 to 2'):
        build(source)


def test_a_pipeline_without_labels_is_refused(source):
    source['pipeline'].pop(1)
    with pytest.raises(ValueError, match='loads no labels.*LoadAnnotations'):
        build(source)[0]


def test_a_wrapped_dataset_is_refused(source):
    wrapped = dict(type='RepeatDataset', dataset=source, times=2)
    with pytest.raises(TypeError, match='got a RepeatDataset'):
        build(dict(wrapped, data_root=source['data_root']))             if False else _build_plain(wrapped, source)


def _build_plain(dataset, source):
    with DefaultScope.overwrite_default_scope('mmseg'):
        DATASETS.build(
            dict(
                type='mic_mm.RareClassSampling',
                dataset=dataset,
                statistics=source['data_root']))


def test_a_temperature_of_zero_is_refused(source):
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


def test_pairs_that_are_skipped_are_replaced(source):
    write_labels(Path(source['data_root'], 'ann', 'b.png'), (32, 60), [0, 1])
    source['pipeline'].insert(
        2,
        dict(type='mic_mm.CheckLabels', num_classes=3, different_size='skip'))
    dataset = build(source, temperature=100.)
    np.random.seed(0)
    shown = {dataset[0]['data_samples'].img_path[-5:] for _ in range(40)}
    assert shown == {'a.png', 'c.png', 'd.png'}

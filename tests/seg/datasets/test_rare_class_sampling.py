# Copyright (c) mic_mm authors. All rights reserved.
import copy
import itertools

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import DefaultScope

from mic_mm.engine.data import DomainPairSampler, PairIndex
from mic_mm.engine.data.corrupt_images import CorruptImageError
from mic_mm.registry import DATASETS

# Those of the dataset in conftest.py: the stripe of the rare class is 8 of 64
# columns wide, at the right end.
SIZE, CROP = (32, 64), (32, 16)


def labels_of(packed):
    return packed['data_samples'].gt_sem_seg.data[0]


def test_crops_have_the_drawn_class(source, build):
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


def test_without_redraws_crops_are_as_the_pipeline_makes_them(source, build):
    dataset = build(source, temperature=0.01, max_redraws=0)
    np.random.seed(0)
    enough = [(labels_of(dataset[0]) == 2).sum() > 50 for _ in range(200)]
    # Of the 49 places of a crop of 16 columns, those with more than 50/32
    # columns of the stripe.
    assert np.mean(enough) == pytest.approx(7 / 49, abs=0.09)


def test_images_and_labels_of_a_crop_belong_together(source, build):
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


def test_each_image_is_decoded_once(source, monkeypatch, build):
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


def test_repeated_crops_are_distributed_like_whole_pipelines(source, build):
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


def test_two_ranks_and_a_resumed_run_draw_what_one_run_draws(source, monkeypatch):
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


def test_classes_of_both_domains_are_still_compared(source, build):
    other = copy.deepcopy(source)
    other['metainfo'] = dict(classes=('a', 'b'), palette=[[0] * 3] * 2)
    with pytest.raises(ValueError, match="only in the source: \\['c'\\]"):
        with DefaultScope.overwrite_default_scope('mmseg'):
            DATASETS.build(
                dict(
                    type='mic_mm.DomainPairDataset',
                    source=build(source),
                    target=other))


def test_a_corrupt_image_that_is_drawn_is_named(source, build, tmp_path):
    for name in ('a', 'b', 'c', 'd'):
        path = tmp_path / 'img' / f'{name}.png'
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(CorruptImageError, match=r'/img/[abcd]\.png cannot'):
        build(source)[0]

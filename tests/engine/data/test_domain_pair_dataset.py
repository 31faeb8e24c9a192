# Copyright (c) mic_mm authors. All rights reserved.
import random
import shutil

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import BaseDataElement, PixelData
from torch.utils.data import DataLoader, Dataset

from mic_mm.engine.data import DomainPairDataset, DomainPairSampler, PairIndex
from mic_mm.engine.data.ground_truth import without_ground_truth

INDEX = PairIndex(source=1, target=2, position=5, seed=0)


@pytest.fixture
def pair(library, tmp_path):
    """Configs of both domains."""
    return dict(
        source=library.domain(tmp_path, 'source', 4),
        target=library.domain(tmp_path, 'target', 6))


class _Packed(Dataset):
    """Packs random numbers, as a pipeline does."""

    def __init__(self, length, none_at=(), **metainfo):
        self.length = length
        self.none_at = none_at
        self.metainfo = metainfo

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        if i in self.none_at:
            return None
        numbers = torch.tensor(
            [random.random(),
             np.random.rand(),
             float(torch.rand(()))])
        sample = BaseDataElement(metainfo=dict(item=i))
        sample.set_field(torch.ones(1), 'gt_label')
        return dict(inputs=numbers, data_samples=sample, extra=i)


def test_target_labels_are_removed_in_every_library(library, pair):
    dataset = library.build(**pair)
    item = dataset[INDEX]
    source, target = (item[d]['data_samples'] for d in ('source', 'target'))
    assert library.label_field in source
    assert target.keys() == []
    assert type(target) is type(source)
    # The label was there: the removal is what keeps it away.
    assert library.label_field in dataset.target[2]['data_samples']


def test_target_keeps_inputs_and_meta_information(library, pair):
    item = library.build(**pair)[INDEX]
    assert set(item['target']) == {'inputs', 'data_samples'}
    assert item['target']['inputs'].shape[0] == 3
    meta = item['target']['data_samples'].metainfo
    assert '/target/' in meta['img_path']
    assert meta['img_shape'][:2] == tuple(item['target']['inputs'].shape[1:])


def test_a_target_without_labels_on_disk_is_read(library, pair, tmp_path):
    folder = tmp_path / library.scope / 'target'
    if library.scope == 'mmseg':
        shutil.rmtree(folder / 'ann')
        del pair['target']['data_prefix']['seg_map_path']
        pair['target']['pipeline'].pop(1)
    elif library.scope == 'mmpretrain':
        pair['target']['with_label'] = False
    else:
        (folder / 'ann.json').write_text(
            (folder / 'ann.json').read_text().split('"annotations"')[0] +
            '"annotations": []}')
    item = library.build(**pair)[INDEX]
    assert item['target']['data_samples'].keys() == []


def test_batches_have_a_part_for_each_domain(library, pair):
    dataset = library.build(**pair)
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=DomainPairSampler(dataset, seed=0),
        collate_fn=pseudo_collate)
    batch = next(iter(loader))
    assert set(batch) == {'source', 'target'}
    for part in batch.values():
        assert len(part['inputs']) == len(part['data_samples']) == 2


def test_length_and_meta_information_are_those_of_the_source(library, pair):
    dataset = library.build(**pair)
    assert len(dataset) == 4
    assert tuple(dataset.metainfo['classes']) == ('cat', 'dog')


def test_configs_are_left_unchanged(library, pair):
    before = repr(pair)
    library.build(**pair)
    assert repr(pair) == before


def test_augmentation_does_not_depend_on_workers_or_on_skipping(library, pair):
    dataset = library.build(**pair)

    def load(num_workers, skipped, count):
        sampler = DomainPairSampler(dataset, seed=3)
        sampler.skip(skipped)
        loader = DataLoader(
            dataset,
            batch_size=2,
            num_workers=num_workers,
            sampler=sampler,
            collate_fn=pseudo_collate)
        return [batch for batch, _ in zip(loader, range(count))]

    expected = load(num_workers=0, skipped=0, count=4)
    for other in (load(2, 0, 4), [None] * 2 + load(1, 4, 2)):
        for batch, want in zip(other, expected):
            if batch is None:
                continue
            for domain in ('source', 'target'):
                for got, image in zip(batch[domain]['inputs'],
                                      want[domain]['inputs']):
                    assert torch.equal(got, image)


def test_augmentation_differs_between_positions_and_domains():
    dataset = DomainPairDataset(_Packed(4), _Packed(4))
    items = [dataset[PairIndex(0, 0, position, 0)] for position in range(3)]
    items.append(dataset[PairIndex(0, 0, 0, 1)])
    numbers = [
        tuple(item[d]['inputs'].tolist()) for item in items
        for d in ('source', 'target')
    ]
    for generator in zip(*numbers):  # of Python, NumPy and PyTorch
        assert len(set(generator)) == len(numbers)


def test_generators_outside_go_on_as_if_nothing_had_happened():
    dataset = DomainPairDataset(_Packed(4), _Packed(4))

    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    expected = [draw(), draw()]
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    numbers = [draw()]
    dataset[INDEX]
    numbers.append(draw())
    assert numbers == expected


def test_another_image_is_loaded_where_the_pipeline_returns_none():
    dataset = DomainPairDataset(
        _Packed(4), _Packed(4, none_at=(0, 1, 2)), max_refetch=1000)
    item = dataset[PairIndex(0, 1, 0, 0)]
    assert item['target']['data_samples'].metainfo['item'] == 3


def test_refetching_ends():
    dataset = DomainPairDataset(
        _Packed(4, none_at=range(4)), _Packed(4), max_refetch=7)
    with pytest.raises(RuntimeError, match='source.*None for 8 images'):
        dataset[INDEX]


def test_missing_folder_is_named(library, pair, tmp_path):
    pair['target']['data_root'] = str(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError) as error:
        library.build(**pair)
    message = str(error.value)
    assert 'target' in message and str(tmp_path / 'nowhere') in message
    assert 'train_dataloader.dataset.target.data_root' in message


def test_missing_image_folder_is_named(library, pair, tmp_path):
    images = {
        'mmseg': 'img',
        'mmdet': 'img',
        'mmpretrain': ''
    }[library.scope]
    folder = tmp_path / library.scope / 'source' / images
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError) as error:
        library.build(**pair)
    message = str(error.value)
    assert 'source' in message and str(folder).rstrip('/') in message
    assert 'train_dataloader.dataset.source' in message


def test_missing_annotation_file_is_named(library, pair):
    if library.scope == 'mmseg':
        pair['source'].update(ann_file='none.txt')
    else:
        pair['source'].update(ann_file='none.json')
    with pytest.raises(FileNotFoundError, match='source.*none.*ann_file'):
        library.build(**pair)


def test_missing_folder_inside_of_a_wrapper_is_named(library, pair, tmp_path):
    pair['source']['data_root'] = str(tmp_path / 'nowhere')
    pair['source'] = dict(
        type='mmengine.ConcatDataset',
        datasets=[pair['target'], pair['source']])
    with pytest.raises(
            FileNotFoundError,
            match=r'dataset\.source\.datasets\[1\]\.data_root'):
        library.build(**pair)


def test_a_target_without_images_is_refused(library, pair, tmp_path):
    folder = tmp_path / library.scope / 'target'
    if library.scope == 'mmdet':
        (folder / 'ann.json').write_text(
            '{"images": [], "annotations": [], "categories": ['
            '{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}')
    else:
        for image in folder.rglob('*.png'):
            image.unlink()
    with pytest.raises(
            ValueError,
            match='target dataset has no images.*dataset.target'):
        library.build(**pair)


class Missing(_Packed):
    """Lists an image that is not there, or fails on opening something."""

    def __init__(self, fails=False):
        if fails:
            open('gone.txt')
        super().__init__(3)

    def get_data_info(self, i):
        return dict(img_path='nowhere/0.png')


@pytest.mark.parametrize('make, error, match', [
    (lambda: _Packed(0), ValueError, 'source dataset has no images'),
    (Missing, FileNotFoundError, 'lists nowhere/0.png, which does not exist'),
    (lambda: dict(type=Missing, fails=True), FileNotFoundError,
     "source dataset is incomplete.*'gone.txt'.*ann_file in train_dataloader"),
    (lambda: dict(type=Missing, data_prefix='no', fails=True), FileNotFoundError,
     'no no .*Correct train_dataloader.dataset.source.data_prefix,'),
    (lambda: dict(type=Missing, fails=True, dataset=dict(data_root='no')), FileNotFoundError,
     'Correct train_dataloader.dataset.source.dataset.data_root,'),
])
def test_data_sets_of_any_kind_are_checked(make, error, match):
    with pytest.raises(error, match=match):
        DomainPairDataset(make(), _Packed(3))


def test_unequal_class_lists_are_refused(library, pair):
    pair['target']['metainfo'] = dict(classes=('cat', 'cow'))
    with pytest.raises(ValueError, match=r"source: \['dog'\].*\['cow'\]"):
        library.build(**pair)


def test_classes_in_another_order_are_refused(library, pair):
    pair['target']['metainfo'] = dict(classes=('dog', 'cat'))
    with pytest.raises(ValueError, match='another order'):
        library.build(**pair)


@pytest.mark.parametrize('filter_empty_gt', [True, False])
def test_choosing_target_images_by_their_labels_is_warned_of(
        filter_empty_gt, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'mic_mm.engine.data.domain_pair_dataset.print_log',
        lambda message, **kwargs: messages.append(message))
    target = _Packed(3)
    target.filter_cfg = dict(filter_empty_gt=filter_empty_gt)
    DomainPairDataset(_Packed(4), target)
    assert ['filter_empty_gt' in m for m in messages] \
        == [True] * filter_empty_gt


def test_datasets_may_be_given_instead_of_configs():
    source, target = _Packed(4, classes=('a', )), _Packed(3)
    dataset = DomainPairDataset(source, target)
    assert dataset.source is source and dataset.target is target


@pytest.mark.parametrize('index', [0, (1, 2)])
def test_other_indices_are_refused(index):
    with pytest.raises(TypeError, match='mic_mm.DomainPairSampler'):
        DomainPairDataset(_Packed(4), _Packed(4))[index]


@pytest.mark.parametrize('cfg', [None, 'data/target'])
def test_other_things_than_datasets_are_refused(cfg):
    with pytest.raises(TypeError, match='train_dataloader.dataset.target'):
        DomainPairDataset(_Packed(4), cfg)


def test_keeping_a_ground_truth_is_refused():
    with pytest.raises(ValueError, match='gt_label.*oracle'):
        DomainPairDataset(
            _Packed(4), _Packed(4), keep_target_fields=('gt_label', ))


def test_without_ground_truth__keeps_named_fields_only():
    sample = BaseDataElement(metainfo=dict(img_shape=(2, 2)))
    valid = PixelData(data=torch.ones(1, 2, 2))
    sample.pseudo_label_valid = valid
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, 2, 2))
    packed = dict(inputs=torch.ones(3, 2, 2), data_samples=sample)
    bare = without_ground_truth(packed, keep=('pseudo_label_valid', 'other'))
    assert bare['data_samples'].keys() == ['pseudo_label_valid']
    assert bare['data_samples'].pseudo_label_valid is valid
    assert bare['data_samples'].metainfo == dict(img_shape=(2, 2))
    assert 'gt_sem_seg' in sample  # the original is left as it was


@pytest.mark.parametrize('packed', [
    dict(img=1), dict(inputs=1, data_samples=None), dict(data_samples=1), [1]
])
def test_without_ground_truth__refuses_pipelines_that_do_not_pack(packed):
    with pytest.raises(TypeError, match='Pack.*target.pipeline'):
        without_ground_truth(packed)

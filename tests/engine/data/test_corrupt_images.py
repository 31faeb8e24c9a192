# Copyright (c) mic_mm authors. All rights reserved.
"""Files that are damaged on disk, in the data sets of each library."""
import logging

import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mic_mm.engine.data import DomainPairSampler, PairIndex
from mic_mm.engine.data.corrupt_images import why_unreadable

IMAGES = dict(
    mmseg='img/{}.png', mmdet='img/{}.png', mmpretrain='{label}/{}.png')


def image_path(library, folder, index):
    name = IMAGES[library.scope].format(index, label=('cat', 'dog')[index % 2])
    return folder / name


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


@pytest.fixture
def damaged(library, tmp_path):
    """Configs of both domains; source images 1 and 2 are cut off."""
    pair = dict(
        source=library.domain(tmp_path, 'source', 6),
        target=library.domain(tmp_path, 'target', 6))
    paths = [
        image_path(library, tmp_path / library.scope / 'source', index)
        for index in (1, 2)
    ]
    for path in paths:
        truncate(path)
    return pair, paths


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(
        'mic_mm.engine.data.corrupt_images.print_log',
        lambda message, level, **kwargs: messages.append((level, message)))
    return messages


def item_of_file(dataset, path):
    """Index of an image; the data sets sort their files themselves."""
    return next(i for i in range(len(dataset))
                if dataset.get_data_info(i)['img_path'] == str(path))


def pair_with_source(dataset, path, position=0):
    return PairIndex(item_of_file(dataset.source, path), 0, position, 0)


def test_a_corrupt_image_is_named_and_an_error_by_default(library, damaged):
    pair, (path, _) = damaged
    dataset = library.build(**pair)
    with pytest.raises(OSError) as error:
        dataset[pair_with_source(dataset, path)]
    message = str(error.value)
    assert str(path) in message and 'source' in message
    assert 'max_corrupt=1' in message


def test_tolerated_images_are_named_once_and_replaced(library, damaged,
                                                      warnings):
    pair, paths = damaged
    dataset = library.build(**pair, max_corrupt=2)
    for position in range(3):
        for path in paths:
            item = dataset[pair_with_source(dataset, path, position)]
            replacement = item['source']['data_samples'].metainfo['img_path']
            assert replacement not in map(str, paths)
    assert len(warnings) >= 2 and len(warnings) == len(set(warnings))
    for path in paths:
        assert any(str(path) in message for _, message in warnings)
    assert all(level == logging.WARNING for level, _ in warnings)


def test_one_more_than_tolerated_is_an_error(library, damaged, warnings):
    pair, paths = damaged
    dataset = library.build(**pair, max_corrupt=1)
    with pytest.raises(OSError, match='max_corrupt=1') as error:
        for position in range(9):
            for path in paths:
                dataset[pair_with_source(dataset, path, position)]
    assert any(str(path) in str(error.value) for path in paths)
    assert len(warnings) == 1


@pytest.mark.parametrize('library', ['cls'], indirect=True)
def test_replacements_do_not_depend_on_workers_or_on_resuming(
        library, damaged, warnings):
    pair, _ = damaged

    def load(num_workers, skipped):
        dataset = library.build(**pair, max_corrupt=2)
        sampler = DomainPairSampler(dataset, seed=3)
        sampler.skip(skipped)
        loader = DataLoader(
            dataset, batch_size=2, num_workers=num_workers, sampler=sampler,
            collate_fn=pseudo_collate)
        return [batch['source']['inputs'] for batch, _ in zip(loader, range(6))]

    expected = load(0, 0)
    for first, batches in ((0, load(2, 0)), (3, load(0, 6))):
        for got, want in zip(batches, expected[first:]):
            assert all(map(torch.equal, got, want))


@pytest.mark.parametrize('library', ['cls'], indirect=True)
def test_workers_share_the_count(library, damaged):
    pair, _ = damaged
    dataset = library.build(**pair, max_corrupt=1)
    loader = DataLoader(
        dataset, batch_size=1, num_workers=2,
        sampler=DomainPairSampler(dataset, seed=3), collate_fn=pseudo_collate)
    # In an epoch each worker meets about one of the two.
    with pytest.raises(OSError, match='max_corrupt=1'):
        for _, _ in zip(loader, range(12)):
            pass


def test_other_errors_are_passed_on(library, tmp_path):
    pair = {name: library.domain(tmp_path, name) for name in
            ('source', 'target')}
    pair['source']['pipeline'] = pair['source']['pipeline'][1:]  # no image
    dataset = library.build(**pair, max_corrupt=9)
    with pytest.raises(Exception) as error:
        dataset[PairIndex(0, 0, 0, 0)]
    assert not isinstance(error.value, OSError)


@pytest.mark.parametrize('library', ['seg'], indirect=True)
def test_a_damaged_label_map_is_named(library, tmp_path):
    pair = {name: library.domain(tmp_path, name) for name in
            ('source', 'target')}
    path = tmp_path / 'mmseg' / 'source' / 'ann' / '0.png'
    path.write_bytes(b'no image')
    dataset = library.build(**pair)
    with pytest.raises(OSError, match=f'{path}'):
        dataset[PairIndex(0, 0, 0, 0)]


@pytest.mark.parametrize('content', [b'', b'no image', b'\x89PNG\r\n\x1a\n'])
def test_why_unreadable__gives_a_reason(tmp_path, content):
    path = tmp_path / 'a.png'
    path.write_bytes(content)
    assert why_unreadable(path)


def test_why_unreadable__accepts_a_good_image(library, tmp_path):
    library.domain(tmp_path, 'source')
    path = image_path(library, tmp_path / library.scope / 'source', 0)
    assert why_unreadable(path) is None


def test_a_negative_number_is_refused(library, damaged):
    with pytest.raises(ValueError, match='max_corrupt=-1'):
        library.build(**damaged[0], max_corrupt=-1)

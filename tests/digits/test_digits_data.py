# Copyright (c) mic_mm authors. All rights reserved.
"""The digits benchmark on disk: deterministic, complete, disjoint, readable."""
import hashlib
import json
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

ROOT = Path(__file__).resolve().parents[2]
TASKS = ('cls', 'seg', 'det')
SCOPES = dict(cls='mmpretrain', seg='mmseg', det='mmdet')


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


def digests(folder):
    return {
        path.relative_to(folder).as_posix():
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob('*') if path.is_file()
    }


# ------------------------------------------------------------- the converter
@pytest.mark.parametrize('task', TASKS)
def test_a_second_conversion_writes_the_same_bytes(
        digits, root, tmp_path, task):
    digits.build_task(task, tmp_path)
    assert digests(tmp_path / task) == digests(root / task)


def test_complete_data_is_left_alone_quickly(digits, root):
    before = {p: p.stat().st_mtime_ns for p in root.rglob('*')}
    started = time.perf_counter()
    assert not any(digits.build_task(task, root) for task in TASKS)
    assert time.perf_counter() - started < 1
    assert before == {p: p.stat().st_mtime_ns for p in root.rglob('*')}


@pytest.mark.parametrize('damage', ['image', 'manifest', 'version', 'folder'])
def test_incomplete_data_is_written_again(digits, root, own, damage):
    folder = own / 'seg'
    manifest = folder / 'manifest.json'
    if damage == 'image':
        next((folder / 'mnist5k' / 'images' / 'train').iterdir()).unlink()
    elif damage == 'manifest':
        manifest.write_text('{"version"')
    elif damage == 'version':
        manifest.write_text(manifest.read_text().replace('"version": ', '"version": 9'))
    else:
        shutil.rmtree(folder / 'optdigits')
    assert not digits.is_complete(folder)
    assert digits.build_task('seg', own)
    assert digests(folder) == digests(root / 'seg')


def test_an_interrupted_conversion_leaves_no_half_written_task(
        digits, root, few_canvases, tmp_path, monkeypatch):
    save, calls = digits.writers.save_png, []

    def save_some(path, image):
        calls.append(path)
        if len(calls) == 20:
            raise KeyboardInterrupt
        save(path, image)

    monkeypatch.setattr(digits.writers, 'save_png', save_some)
    with pytest.raises(KeyboardInterrupt):
        digits.build_task('seg', tmp_path)
    assert not (tmp_path / 'seg').exists()
    monkeypatch.setattr(digits.writers, 'save_png', save)
    digits.build_task('seg', tmp_path)
    assert digests(tmp_path / 'seg') == digests(root / 'seg')
    assert [path.name for path in tmp_path.iterdir()] == ['seg']


def test_somebody_elses_folder_is_not_overwritten(digits, tmp_path):
    mine = tmp_path / 'seg' / 'mine.txt'
    mine.parent.mkdir()
    mine.write_text('mine')
    with pytest.raises(FileExistsError, match='not written by this tool'):
        digits.build_task('seg', tmp_path, force=True)
    assert mine.read_text() == 'mine'


def test_an_unknown_task_is_named(digits, tmp_path):
    with pytest.raises(ValueError, match="'depth'"):
        digits.build_task('depth', tmp_path)


# ---------------------------------------------------------------- the splits
@pytest.mark.parametrize('domain', ['optdigits', 'mnist5k'])
def test_a_scan_is_in_one_split_only(digits, domain):
    splits = digits.load_scans(domain, seed=0)
    pictures = [{scan.tobytes() for scan in s.images} for s in splits.values()]
    total = sum(len(s) for s in splits.values())
    assert len(set.union(*pictures)) == total
    assert total == dict(optdigits=1797, mnist5k=5000)[domain]


def test_every_split_has_every_digit_in_its_share(digits):
    for scans in digits.load_scans('mnist5k', seed=0).values():
        assert len(set(np.bincount(scans.labels))) == 1
    for name, scans in digits.load_scans('optdigits', seed=0).items():
        counts = np.bincount(scans.labels)
        assert counts.min() > 0.9 * counts.max(), name


def test_written_scans_are_those_of_the_split(digits, root):
    for domain, split in digits.writers.domain_splits():
        scans = digits.load_scans(domain, seed=0)[split]
        written = [read(p).tobytes() for p in
                   (root / 'cls' / domain / split).rglob('*.png')]
        assert sorted(written) == sorted(s.tobytes() for s in scans.images)


def test_photographs_of_the_splits_do_not_overlap(digits):
    columns = digits.grounds.COLUMNS
    assert columns['train'][1] <= columns['val'][0]
    assert columns['val'][1] <= columns['test'][0]
    bands = digits.photo_grounds()
    for train, val, test in zip(bands['train'], bands['val'], bands['test']):
        assert train.shape[1] + val.shape[1] + test.shape[1] <= 640
        assert min(val.shape[1], test.shape[1]) >= digits.grounds.CROP_SIDE[1]


# -------------------------------------------------------------- the canvases
@pytest.mark.parametrize('domain,jitter', [('optdigits', True),
                                           ('mnist5k', False)])
def test_glyphs_are_tight_for_every_scan(digits, domain, jitter):
    rng = np.random.default_rng(0)
    jitter = digits.compose.Jitter() if jitter else None
    for scans in digits.load_scans(domain, seed=0).values():
        for scan in scans.images[::7]:
            ink = digits.cut_glyph(scan, 26, jitter, rng) > 0.5
            assert max(ink.shape) <= 26
            assert all(edge.any()
                       for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def canvases(digits, style, count=40):
    scans = digits.load_scans('mnist5k', seed=0)['train']
    for seed in range(count):
        rng = np.random.default_rng(seed)
        ground = digits.plain_ground(style.size, rng)
        yield ground, digits.compose_canvas(scans, ground, style, rng)


def test_boxes_are_tight_around_the_ink_and_inside(digits):
    style = digits.CanvasStyle(digits=(1, 4), side=(20, 31))
    seen = set()
    for _, canvas in canvases(digits, style):
        seen.add(len(canvas.boxes))
        rest = canvas.label_map.copy()
        for (x, y, width, height), digit in zip(canvas.boxes, canvas.labels):
            assert min(x, y) >= 0 and max(x + width, y + height) <= style.size
            ink = rest[y:y + height, x:x + width] == digit + 1
            assert all(edge.any()
                       for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
            rest[y:y + height, x:x + width] = 0
        assert not rest.any()  # no ink outside of the boxes
    assert seen == {1, 2, 3, 4}


def test_label_maps_mark_the_pixels_that_were_painted(digits):
    for ground, canvas in canvases(digits, digits.CanvasStyle()):
        change = np.abs(canvas.image.astype(int) - ground).max(axis=2)
        # Ink is at least half opaque and at least 90 grey levels off.
        assert np.median(change[canvas.label_map > 0]) > 45
        boxed = np.zeros(change.shape, dtype=bool)
        for x, y, width, height in canvas.boxes:
            boxed[y:y + height, x:x + width] = True
        assert not change[~boxed].any()


# --------------------------------------------- through the stock data sets
def load_config(task):
    """The config of the data sets, with the scope of the task's library."""
    pytest.importorskip(SCOPES[task])
    init_default_scope(SCOPES[task])
    return Config.fromfile(
        ROOT / 'configs' / '_base_' / 'datasets' / f'digits_{task}.py')


def stated_datasets(cfg):
    pair = cfg.train_dataloader.dataset
    return dict(
        source=pair.source,
        target=pair.target,
        oracle=cfg.target_train_labelled,
        val=cfg.val_dataloader.dataset,
        test=cfg.test_dataloader.dataset)


@pytest.fixture
def at_root(root, monkeypatch):
    monkeypatch.chdir(root.parents[1])


@pytest.mark.parametrize('task', TASKS)
def test_the_stock_datasets_read_it(at_root, task):
    lengths = dict(source=6, target=6, oracle=6, val=3, test=4)
    if task == 'cls':
        lengths = dict(source=1528, target=3000, oracle=3000, val=500, test=1500)
    for name, cfg in stated_datasets(load_config(task)).items():
        dataset = DATASETS.build(cfg)
        assert len(dataset) == lengths[name], name
        packed = dataset[0]
        side = 16 if task == 'cls' else 64
        assert tuple(packed['inputs'].shape) == (3, side, side)


@pytest.mark.parametrize('task', TASKS)
def test_the_target_is_read_without_labels(at_root, task):
    dataset = DATASETS.build(stated_datasets(load_config(task))['target'])
    for index in range(6):
        sample = dataset[index]['data_samples']
        if task == 'det':
            assert len(sample.gt_instances) == 0
        else:
            assert not sample.keys()


def test_the_oracles_labels_are_the_scans_own(digits, at_root):
    dataset = DATASETS.build(stated_datasets(load_config('cls'))['oracle'])
    scans = digits.load_scans('mnist5k', seed=0)['train']
    label_of = {s.tobytes(): label for s, label in zip(scans.images, scans.labels)}
    for index in range(0, len(dataset), 50):
        info = dataset.get_data_info(index)
        assert info['gt_label'] == label_of[read(info['img_path']).tobytes()]


def test_label_maps_of_the_dataset_hold_the_eleven_classes(root):
    seen = set()
    for path in (root / 'seg').rglob('labels/*/*.png'):
        seen |= set(np.unique(read(path)))
    assert seen == set(range(11))


def test_the_unlabelled_coco_file_has_the_images_and_no_box(root):
    folder = root / 'det' / 'mnist5k' / 'annotations'
    labelled = json.loads((folder / 'train.json').read_text())
    bare = json.loads((folder / 'train_unlabelled.json').read_text())
    assert labelled['annotations'] and not bare['annotations']
    assert bare['images'] == labelled['images']
    assert bare['categories'] == labelled['categories']

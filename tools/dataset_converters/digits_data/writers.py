# Copyright (c) mic_mm authors. All rights reserved.
"""Write the benchmark in the layouts that the stock data sets read."""
from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, Sequence, Tuple

import cv2
import numpy as np

from mic_mm.utils.parallel import track

from .compose import Canvas, CanvasStyle, Jitter, compose_canvas
from .grounds import photo_ground, photo_grounds, plain_ground
from .scans import SPLITS, TARGET_SPLITS, Scans, load_scans

SEED = 0
SOURCE, TARGET = 'optdigits', 'mnist5k'
CLASSES = tuple('0123456789')

# Canvases per domain and split: enough that a run of a few hundred
# iterations sees few of them twice, few enough to be written in seconds.
CANVASES = {
    SOURCE: dict(train=3000, val=200),
    TARGET: dict(train=3000, val=300, test=500),
}
SEG_STYLE = CanvasStyle(digits=(4, 4), side=(26, 31))
DET_STYLE = CanvasStyle(digits=(1, 4), side=(22, 31))

DomainSplit = Tuple[str, str]
Compose = Callable[[np.random.Generator], Canvas]


def domain_splits() -> Iterator[DomainSplit]:
    """All pairs of domain and split, source first."""
    for domain, shares in SPLITS.items():
        for split in shares:
            yield domain, split


def save_png(path: Path, image: np.ndarray) -> None:
    """Write a grey (H, W) or RGB (H, W, 3) image."""
    if image.ndim == 3:
        image = image[..., ::-1]
    ok, data = cv2.imencode('.png', image)
    if not ok:
        raise OSError(f'OpenCV could not encode {path}.')
    path.write_bytes(data.tobytes())


def _track(items: Sequence, title: str) -> Iterator:
    # A split is written within seconds.
    return track(items, len(items), title, lines=1)


def _image_name(index: int) -> str:
    return f'{index:05d}.png'


# ------------------------------------------------------------ classification
def _write_scans(root: Path, domain: str, split: str, scans: Scans,
                 flat: bool) -> None:
    """One scan per file, numbered in random order.

    With ``flat`` they lie in one folder and their labels in a text file
    beside it, so that neither path nor order tells the label.
    """
    order = np.random.default_rng(SEED).permutation(len(scans))
    lines = []
    for number, index in enumerate(_track(order, f'cls {domain} {split}')):
        digit = CLASSES[scans.labels[index]]
        folder = root / domain / split / ('' if flat else digit)
        folder.mkdir(parents=True, exist_ok=True)
        save_png(folder / _image_name(number), scans.images[index])
        lines.append(f'{_image_name(number)} {digit}\n')
    if flat:
        (root / domain / f'{split}_labels.txt').write_text(''.join(lines))


def write_cls(root: Path) -> None:
    """Image folders for ``mmpretrain.CustomDataset``.

    The training images of a target are flat.  ``optdigits_target`` holds the
    same scans as ``optdigits``, split for the direction MNIST to optdigits.
    """
    for domain in SPLITS:
        for split, scans in load_scans(domain, SEED).items():
            flat = (domain, split) == (TARGET, 'train')
            _write_scans(root, domain, split, scans, flat)
    for domain, shares in TARGET_SPLITS.items():
        for split, scans in load_scans(domain, SEED, shares).items():
            _write_scans(root, f'{domain}_target', split, scans,
                         split == 'train')


# --------------------------------------- canvases (segmentation, detection)
def _composers(style: CanvasStyle) -> Dict[DomainSplit, Compose]:
    """How to draw one canvas of each domain and split."""
    photos = photo_grounds()
    source_style = replace(style, jitter=Jitter())

    def composer(scans: Scans, ground: Callable,
                 style: CanvasStyle) -> Compose:
        return lambda rng: compose_canvas(scans, ground(rng), style, rng)

    composers = {}
    for domain in SPLITS:
        for split, scans in load_scans(domain, SEED).items():
            if domain == SOURCE:
                composers[domain, split] = composer(
                    scans, partial(plain_ground, style.size), source_style)
            else:
                composers[domain, split] = composer(
                    scans, partial(photo_ground, photos[split], style.size),
                    style)
    return composers


def _canvases(task: str, style: CanvasStyle):
    """Yield domain, split and an iterator over numbered canvases.

    Each canvas has a generator of its own, seeded by its address: a change
    of one split's size leaves all other canvases as they are.
    """
    splits = list(domain_splits())
    for number, (key, compose) in enumerate(_composers(style).items()):
        assert key == splits[number]
        domain, split = key
        numbers = _track(range(CANVASES[domain][split]),
                         f'{task} {domain} {split}')
        yield domain, split, (
            (i, compose(np.random.default_rng((SEED, number, i))))
            for i in numbers)


def write_seg(root: Path) -> None:
    """Images and label maps for ``mmseg.BaseSegDataset``."""
    for domain, split, canvases in _canvases('seg', SEG_STYLE):
        images = root / domain / 'images' / split
        labels = root / domain / 'labels' / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for number, canvas in canvases:
            save_png(images / _image_name(number), canvas.image)
            save_png(labels / _image_name(number), canvas.label_map)


def _coco(images: list, annotations: list) -> str:
    categories = [dict(id=i, name=name) for i, name in enumerate(CLASSES)]
    return json.dumps(
        dict(images=images, annotations=annotations, categories=categories))


def _coco_annotations(canvas: Canvas, image_id: int, first_id: int) -> list:
    return [
        dict(
            id=first_id + k,
            image_id=image_id,
            category_id=int(label),
            bbox=[int(v) for v in box],
            area=int(box[2] * box[3]),
            iscrowd=0)
        for k, (box, label) in enumerate(zip(canvas.boxes, canvas.labels))
    ]


def write_det(root: Path) -> None:
    """Images and COCO JSON for ``mmdet.CocoDataset``.

    The target's training images have a second file without annotations,
    ``train_unlabelled.json``: the one that adaptation reads.
    """
    for domain, split, canvases in _canvases('det', DET_STYLE):
        folder = root / domain / split
        folder.mkdir(parents=True)
        images, annotations = [], []
        for number, canvas in canvases:
            height, width = canvas.image.shape[:2]
            save_png(folder / _image_name(number), canvas.image)
            images.append(dict(id=number, file_name=_image_name(number),
                               height=height, width=width))
            annotations += _coco_annotations(canvas, number, len(annotations))
        json_dir = root / domain / 'annotations'
        json_dir.mkdir(exist_ok=True)
        (json_dir / f'{split}.json').write_text(_coco(images, annotations))
        if (domain, split) == (TARGET, 'train'):
            (json_dir / 'train_unlabelled.json').write_text(_coco(images, []))

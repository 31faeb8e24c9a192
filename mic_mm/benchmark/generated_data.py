# Copyright (c) mic_mm authors. All rights reserved.
"""Images in the place of a config's data, to measure how fast they are read."""
from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import ConfigDict

from mic_mm.registry import DATASETS
from mic_mm.utils.random_pictures import random_picture

from .data_pipeline_floor import innermost

_STREET_SCENES = 'mic_mm.seg.dataset_tools.random_street_scenes'
_ROOTS = ('gta', 'cityscapes')
# Few, so that they stay in the memory of the machine and not the disk is
# measured.
_IMAGES = 4
# Height and width: Cityscapes' for detection, a photograph of ImageNet's size
# for classification.
SCENE_SIZE = (1024, 2048)
PHOTO_SIZE = (375, 500)
_PHOTO_NOISE = 14
# Boxes in an image; Cityscapes has 18 instances on average.
_BOXES = 18


def generated(cfg: ConfigDict, folder: Path) -> ConfigDict:
    """Write images and labels, and read them instead of the config's data.

    For a data set of MMSegmentation those of GTA and Cityscapes, for
    ``CocoDataset`` PNG files of Cityscapes' size with a COCO file, for
    ``CustomDataset`` of MMPretrain JPEG photographs with a list.  Data sets
    that are derived from these and wrapped ones belong to them.

    Args:
        cfg (ConfigDict): ``train_dataloader.dataset`` with two domains.
        folder (Path): Where the files go.

    Returns:
        ConfigDict: A changed copy.

    Raises:
        ValueError: If a data set is of another kind.
    """
    cfg = copy.deepcopy(cfg)
    kinds = {name: _kind(innermost(cfg[name])) for name in ('source', 'target')}
    if 'BaseSegDataset' in kinds.values():
        cfg = at_root(cfg, folder)
        # By name: this room is loaded without the task's library.
        importlib.import_module(_STREET_SCENES).write_street_scenes(folder)
        return cfg
    for name, kind in kinds.items():
        root = folder / name
        root.mkdir()
        _WRITERS[kind](innermost(cfg[name]), root, np.random.default_rng(0))
    return cfg


def at_root(cfg: Any, root: Path) -> Any:
    """A copy of a config that reads ``data/{gta,cityscapes}`` from ``root``.

    Raises:
        ValueError: If it reads other data sets as well.
    """
    if isinstance(cfg, Mapping):
        return ConfigDict(
            {key: at_root(value, root)
             for key, value in cfg.items()})
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(at_root(value, root) for value in cfg)
    if not isinstance(cfg, str) or not cfg.startswith('data/'):
        return cfg
    rest = cfg.removeprefix('data/')
    if rest.split('/')[0] not in _ROOTS:
        raise ValueError(
            f'The config reads {cfg}, but for segmentation images are generated for '
            f'{_ROOTS} only. Measure it on its own data with --real.')
    return str(root / rest)


def _dataset_class(cfg: ConfigDict) -> type:
    kind = cfg.get('type')
    if isinstance(kind, type):
        return kind
    with DATASETS.switch_scope_and_registry(cfg.get('_scope_')) as registry:
        found = registry.get(str(kind))
    if found is None:
        raise ValueError(f'The data set {kind!r} is not known: check its name '
                         'and default_scope.')
    return found


def _kind(cfg: ConfigDict) -> str:
    """The data set of a library that it is or is derived from."""
    bases = [base.__name__ for base in _dataset_class(cfg).__mro__]
    for kind in ('BaseSegDataset', *_WRITERS):
        if kind in bases:
            return kind
    raise ValueError(
        f"There is nothing generated for data sets like {cfg.get('type')!r}. "
        'Measure it on its own data with --real.')


def _classes(cfg: ConfigDict) -> tuple[str, ...]:
    classes = cfg.get('metainfo', {}).get('classes') or cfg.get('classes')
    if classes is None:
        classes = getattr(_dataset_class(cfg), 'METAINFO', {}).get('classes')
    # The name of a file, which may be as absent as the data.
    return () if isinstance(classes, str) else tuple(classes or ())


def _write_images(folder: Path, ending: str,
                  make: Callable[[], np.ndarray]) -> list[str]:
    folder.mkdir()
    names = [f'{number:05d}{ending}' for number in range(_IMAGES)]
    for name in names:
        if not cv2.imwrite(str(folder / name), make()):
            raise OSError(f'{folder / name} cannot be written.')
    return names


def _write_coco(cfg: ConfigDict, root: Path, rng: np.random.Generator) -> None:
    """Images with boxes in a COCO file."""
    height, width = SCENE_SIZE
    names = _write_images(root / 'images', '.png',
                          lambda: random_picture(rng, SCENE_SIZE))
    classes = _classes(cfg)
    content = dict(
        images=[
            dict(id=i, file_name=name, height=height, width=width)
            for i, name in enumerate(names)
        ],
        annotations=_boxes(rng, len(classes)) if classes else [],
        categories=[dict(id=i, name=name) for i, name in enumerate(classes)])
    (root / 'boxes.json').write_text(json.dumps(content))
    cfg.update(
        data_root=str(root),
        ann_file='boxes.json',
        data_prefix=dict(img='images/'))


def _boxes(rng: np.random.Generator, num_classes: int) -> list[dict]:
    height, width = SCENE_SIZE
    boxes = []
    for number in range(_IMAGES * _BOXES):
        x, y = rng.integers(0, (width - 128, height - 128)).tolist()
        w, h = rng.integers(16, 128, 2).tolist()
        boxes.append(
            dict(
                id=number + 1,
                image_id=number // _BOXES,
                category_id=number % num_classes,
                bbox=[x, y, w, h],
                area=w * h,
                iscrowd=0))
    return boxes


def _write_list(cfg: ConfigDict, root: Path, rng: np.random.Generator) -> None:
    """Images, and a list with an entry for each class at least."""
    names = _write_images(
        root / 'images', '.jpg',
        lambda: random_picture(rng, PHOTO_SIZE, _PHOTO_NOISE))
    classes = max(len(_classes(cfg)), 1)
    lines = [
        f'{names[i % len(names)]} {i % classes}\n'
        for i in range(max(classes, len(names)))
    ]
    (root / 'list.txt').write_text(''.join(lines))
    cfg.update(data_root=str(root), ann_file='list.txt', data_prefix='images')
    if isinstance(cfg.get('classes'), str):
        del cfg['classes']


_Writer = Callable[[ConfigDict, Path, np.random.Generator], None]
_WRITERS: dict[str, _Writer] = dict(
    CocoDataset=_write_coco, CustomDataset=_write_list)

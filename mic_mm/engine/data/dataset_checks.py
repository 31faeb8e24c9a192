# Copyright (c) mic_mm authors. All rights reserved.
"""Turns what a broken dataset config leads to into errors that say so."""
from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any, Optional

# How the libraries fail on a dataset without images: MMEngine on
# serialising an empty list, MMPretrain by itself.
_SIGNS_OF_NO_IMAGES = ('need at least one array', 'Found 0 files')


def explain_build_error(error: Exception, cfg: Any, domain: str) -> None:
    """Raise a clearer error than ``error``, if the cause is known.

    Args:
        error (Exception): What building the dataset raised.
        cfg (dict | Any): Config of the dataset; anything else is ignored.
        domain (str): ``'source'`` or ``'target'``.

    Raises:
        FileNotFoundError: If a path of the config does not exist.
        ValueError: If there are no images.
    """
    for key, path in stated_paths(cfg, _config_key(domain)):
        if not osp.exists(path):
            raise FileNotFoundError(
                f'The {domain} dataset has no {path} (current folder: '
                f'{osp.abspath(".")}). Correct {key}, or prepare the '
                'data.') from error
    if isinstance(error, FileNotFoundError):
        raise FileNotFoundError(
            f'The {domain} dataset is incomplete: {error}. Check data_root, '
            f'data_prefix and ann_file in {_config_key(domain)}.') from error
    if any(sign in str(error) for sign in _SIGNS_OF_NO_IMAGES):
        raise ValueError(_no_images(domain)) from error


def check_images(dataset: Any, domain: str) -> None:
    """Refuse a dataset without images, or whose first image is missing.

    Args:
        dataset (Dataset): A dataset of any library.
        domain (str): ``'source'`` or ``'target'``.

    Raises:
        ValueError: If the dataset is empty.
        FileNotFoundError: If its first image does not exist.
    """
    if len(dataset) == 0:
        raise ValueError(_no_images(domain))
    path = _first_image(dataset)
    if path is not None and not osp.exists(path):
        raise FileNotFoundError(
            f'The {domain} dataset lists {path}, which does not exist '
            f'(current folder: {osp.abspath(".")}). Correct data_root and '
            f'data_prefix in {_config_key(domain)}.')


def check_classes(source: Optional[Sequence[str]],
                  target: Optional[Sequence[str]]) -> None:
    """Refuse domains with different classes.

    A domain without a list of classes, such as a folder of unlabelled
    images, is accepted.

    Raises:
        ValueError: If the lists differ, or only their order.
    """
    if not source or not target or tuple(source) == tuple(target):
        return
    only_source = [name for name in source if name not in target]
    only_target = [name for name in target if name not in source]
    if only_source or only_target:
        difference = (f'only in the source: {only_source}, only in the '
                      f'target: {only_target}')
    else:
        difference = (f'the same classes in another order: {list(source)} '
                      f'and {list(target)}')
    raise ValueError(
        f'The source has {len(source)} and the target {len(target)} classes; '
        f'{difference}. A label index has to mean the same in both domains: '
        'set metainfo=dict(classes=...) in train_dataloader.dataset.source '
        'and .target.')


def stated_paths(cfg: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield the local paths that a dataset config states.

    Args:
        cfg (dict | Any): Config of a dataset or of a wrapper of datasets.
        key (str): Where ``cfg`` is in the whole config.

    Yields:
        tuple[str, str]: Place in the whole config and the path.
    """
    if not isinstance(cfg, dict):
        return
    root = cfg.get('data_root') or ''
    prefix = cfg.get('data_prefix') or {}
    if isinstance(prefix, str):
        prefix = {'': prefix}
    stated = [(f'{key}.data_root', ''), (f'{key}.ann_file',
                                         cfg.get('ann_file'))]
    stated += [(f'{key}.data_prefix.{name}'.rstrip('.'), path)
               for name, path in prefix.items()]
    for name, path in stated:
        if isinstance(path, str):
            full = osp.expanduser(osp.join(root, path))
            if full and '://' not in full:
                yield name, full
    if 'dataset' in cfg:
        yield from stated_paths(cfg['dataset'], f'{key}.dataset')
    for i, part in enumerate(cfg.get('datasets', ())):
        yield from stated_paths(part, f'{key}.datasets[{i}]')


def _first_image(dataset: Any) -> Optional[str]:
    """Path of the first image, if it is a local file."""
    if not hasattr(dataset, 'get_data_info'):
        return None
    path = dataset.get_data_info(0).get('img_path')
    backend = (getattr(dataset, 'backend_args', None) or {}).get('backend')
    is_local = isinstance(path, str) and '://' not in path
    return path if is_local and backend in (None, 'local') else None


def _no_images(domain: str) -> str:
    key = _config_key(domain)
    return (f'The {domain} dataset has no images. Check {key}: data_root, '
            'data_prefix, ann_file, the image suffix (img_suffix), and that '
            'filter_cfg does not drop images without annotations.')


def _config_key(domain: str) -> str:
    return f'train_dataloader.dataset.{domain}'

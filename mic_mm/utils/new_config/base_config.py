# Copyright (c) mic_mm authors. All rights reserved.
"""What a stock config says that a config for other data has to change."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

SCOPES = {'seg': 'mmseg', 'cls': 'mmpretrain', 'det': 'mmdet'}
# Where a model of each task says how many classes there are.
_MAIN_HEADS = {
    # The second is that of HRDA.
    'seg': ('decode_head', 'decode_head.single_scale_head'),
    'cls': ('head', ),
    'det': ('bbox_head', 'roi_head.bbox_head'),
}


@dataclass(frozen=True)
class BaseConfig:
    """A stock config.

    Attributes:
        name (str): As it is named in ``_base_``.
        task (str): ``'seg'``, ``'cls'`` or ``'det'``.
        cfg (Config): Its content.
    """

    name: str
    task: str
    cfg: Config

    @property
    def model(self) -> dict:
        return self.cfg.model

    def places_of_classes(self) -> list[str]:
        """Settings with the number of classes, such as ``.head.num_classes``.

        Other settings of that name, such as that of an RPN, differ in value.
        """
        number = self.num_classes()
        return [
            place for place, value in _walk(self.model)
            if place.endswith('.num_classes') and value == number
        ]

    def num_classes(self) -> int:
        """Number of classes of the base.

        Raises:
            ValueError: If there is no head that says it.
        """
        for path in _MAIN_HEADS[self.task]:
            head = _get(self.model, path)
            head = head[-1] if isinstance(head, (list, tuple)) else head
            if isinstance(head, dict) and 'num_classes' in head:
                return head['num_classes']
        raise ValueError(
            f'--base {self.name}: its model has no num_classes in '
            f'{" or ".join(_MAIN_HEADS[self.task])}. Wrap it by hand, see '
            'docs/en/user_guides/own_model.md.')

    def pretrained(self) -> list[tuple[str, str]]:
        """Places of pretrained weights in the model, and their addresses."""
        found = []
        for place, value in _walk(self.model):
            if place.endswith('.init_cfg.checkpoint'):
                found.append((place.removesuffix('.checkpoint'), value))
            elif place.endswith('.pretrained') and isinstance(value, str):
                found.append((place, value))
        return found

    def synchronised_norms(self) -> list[str]:
        """Places of a batch norm over all GPUs."""
        return [
            place for place, value in _walk(self.model)
            if value == 'SyncBN' and place.endswith('.type')
        ]

    def pixel_samplers(self) -> list[str]:
        """Places of samplers of hard pixels in heads.

        Samplers of heads that segment by masks are others.
        """
        return [
            place.removesuffix('.type') for place, kind in _walk(self.model)
            if place.endswith('.sampler.type') and kind.endswith('PixelSampler')
        ]

    def frozen(self) -> list[tuple[str, Any]]:
        """Settings that freeze pretrained weights, and their opposites."""
        free = {'frozen_stages': -1, 'norm_eval': False}
        return [(place, free[place.rpartition('.')[2]])
                for place, value in _walk(self.model)
                if place.rpartition('.')[2] in free
                and value != free[place.rpartition('.')[2]]]

    def get(self, path: str, default: Any = None) -> Any:
        """A setting, such as ``'optim_wrapper.optimizer.lr'``."""
        value = _get(self.cfg, path)
        return default if value is None else value

    def delete(self, key: str, indent: int = 4) -> str:
        """A line that drops a setting of the base, if there is one."""
        return f'\n{" " * indent}_delete_=True,' if key in self.cfg else ''


def read_base(name: str, task: str) -> BaseConfig:
    """Read a stock config.

    Args:
        name (str): ``'mmseg::...'``, ``'mmdet::...'``, ``'mmpretrain::...'``
            or a path.
        task (str): ``'seg'``, ``'cls'`` or ``'det'``.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it is of another task, or its model cannot be wrapped.
    """
    try:
        if '::' not in name and not Path(name).is_file():
            raise FileNotFoundError(name)
        path = _path_of(name)
        cfg = _read(path, name)
    except (OSError, ImportError, AssertionError) as error:
        raise FileNotFoundError(
            f'--base {name}: there is no such config ({error}). Configs of '
            f'the library are named {SCOPES[task]}::<folder>/<file>.py, as '
            'in its folder .mim/configs.') from error
    base = BaseConfig(name, task, cfg)
    _check(base)
    return base


def _read(path: str, name: str) -> Config:
    try:
        if not Config._is_lazy_import(path):
            return Config.fromfile(path)
        reason = ''
    except RuntimeError as error:  # one of its bases does
        reason = f' ({str(error).partition(".")[0]})'
    raise ValueError(
        f'--base {name} imports its parts instead of naming them, and '
        f'configs of text cannot inherit it{reason}. Take another config of '
        'the network, or wrap it by hand, see '
        'docs/en/user_guides/own_model.md.')


def _path_of(name: str) -> str:
    if '::' not in name:
        return name
    return Config._get_cfg_path(name, '.')[0]


def _check(base: BaseConfig) -> None:
    scope = base.cfg.get('default_scope')
    if scope not in (None, SCOPES[base.task]):
        raise ValueError(f'--base {base.name} is of {scope}, but --task '
                         f'{base.task} needs a config of '
                         f'{SCOPES[base.task]}.')
    if not isinstance(base.cfg.get('model'), dict):
        raise ValueError(f'--base {base.name} has no model.')
    if str(base.model.get('type', '')).startswith('mic_mm.UDA'):
        raise ValueError(
            f'--base {base.name} is wrapped by mic_mm already. Inherit it '
            'by _base_ and replace the data sets.')
    if _get(base.model, 'roi_head.mask_head') is not None:
        raise ValueError(
            f'--base {base.name} also segments instances, and boxes are '
            'adapted only. Take the detector without masks, e.g. '
            'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py.')
    base.num_classes()


def _walk(value: Any, place: str = '') -> Iterator[tuple[str, Any]]:
    """Settings below a value and their places, as written in Python."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, f'{place}.{key}')
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _walk(item, f'{place}[{index}]')
    else:
        yield place, value


def _get(value: Any, path: str) -> Optional[Any]:
    for key in path.split('.'):
        value = value.get(key) if isinstance(value, (dict, Config)) else None
        if value is None:
            return None
    return value

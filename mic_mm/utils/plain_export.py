# Copyright (c) mic_mm authors. All rights reserved.
"""A trained model without what it was trained by.

Of a config and a checkpoint of mic_mm, config and checkpoint of the wrapped
model remain, as the model's own library uses them.
"""
from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Optional

from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mic_mm.registry import MODELS

from .predictions import use_library_visualizer
from .stock_types import is_own, values, with_stock_types
from .weight_names import unwrapped_names

BRANCHES = {'student': 'student.', 'teacher': 'teacher.model.'}
WRAPPED = ('segmentor', 'classifier', 'detector')
# Where a branch is missing, by whether the checkpoint is plain.
_REMEDIES = {
    True: 'A checkpoint that was not trained by mic_mm is plain already.',
    False: 'A published checkpoint has a teacher if it was published with '
    '--keep teacher, and a run without model.teacher trains none.',
}
_KEPT = ('default_scope', 'custom_imports', 'data_root', 'dataset_type',
         'metainfo', 'test_pipeline', 'val_dataloader', 'val_evaluator',
         'val_cfg', 'test_dataloader', 'test_evaluator', 'test_cfg',
         'tta_pipeline', 'tta_model', 'default_hooks', 'env_cfg',
         'vis_backends', 'visualizer', 'log_processor', 'log_level',
         'randomness')


def plain_config(cfg: Config) -> Config:
    """The config of the wrapped model, for prediction and evaluation.

    Teacher, objectives and everything of the training are left out.  A
    network of the library's own parts gets the library's data sets and
    metrics as well, and does without mic_mm.  Otherwise ``custom_imports``
    names it.

    Args:
        cfg (Config): Config of a run of mic_mm. It is not changed.

    Raises:
        ValueError: If its model is no wrapper of mic_mm.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy is shallow
    plain = Config({key: cfg[key] for key in _KEPT if key in cfg})
    plain.model = _wrapped_model(cfg)
    if 'default_hooks' in plain:
        plain.default_hooks = ConfigDict({
            name: hook
            for name, hook in plain.default_hooks.items()
            if hook is None or not is_own(hook.get('type'))
        })
    if 'test_pipeline' not in plain and 'test_dataloader' in plain:
        # where mmseg.apis.inference_model looks
        dataset = evaluated_dataset(plain) or {}
        plain.test_pipeline = dataset.get('pipeline', [])
    use_library_visualizer(plain)
    if not any(map(is_own, values(plain.model))):
        plain = with_stock_types(plain)
    if any(map(is_own, values(plain.to_dict()))):
        _add_import(plain)
    return plain


def plain_weights(state_dict: Mapping[str, Tensor],
                  branch: str = 'student') -> dict[str, Tensor]:
    """The weights of one branch under the names of the wrapped model.

    Args:
        state_dict (Mapping[str, Tensor]): Weights of a checkpoint of mic_mm.
        branch (str): ``'student'`` or ``'teacher'``. Defaults to
            ``'student'``.

    Raises:
        ValueError: If the checkpoint has no such branch.
    """
    prefix = BRANCHES[branch]
    weights = unwrapped_names(state_dict)
    selected = {
        name.removeprefix(prefix): value
        for name, value in weights.items() if name.startswith(prefix)
    }
    if not selected:
        raise ValueError(
            f'The checkpoint has no {branch}: no weight begins with '
            f'{prefix!r}, but e.g. {list(weights)[:3]}. '
            f'{_REMEDIES[is_plain(weights)]}')
    return selected


def is_plain(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether weights are those of a wrapped model alone."""
    prefixes = tuple(BRANCHES.values())
    return not any(
        name.startswith(prefixes) for name in unwrapped_names(state_dict))


def predicting_branch(cfg: Config, branch: Optional[str] = None) -> str:
    """Which network is meant where none is named.

    Args:
        cfg (Config): Config of a run of mic_mm, or a plain one.
        branch (str, optional): The one that is named. Defaults to None:
            ``model.predict_on``, which the run was evaluated with, else the
            student.
    """
    if branch is not None:
        return branch
    return (cfg.get('model') or {}).get('predict_on') or 'student'


def evaluated_dataset(cfg: Config) -> Optional[ConfigDict]:
    """The data set of ``test_dataloader`` that has a pipeline, if any.

    It may be inside of wrappers, of which the first data set counts.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset')
    while dataset and 'pipeline' not in dataset:
        inner = dataset.get('dataset') or dataset.get('datasets')
        dataset = inner[0] if isinstance(inner, (list, tuple)) else inner
    return dataset or None


def build_plain(cfg: Config) -> nn.Module:
    """Build the model of an exported config."""
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        return MODELS.build(cfg.model)


def is_wrapper(cfg: Config) -> bool:
    """Whether the model of a config is one of mic_mm around another."""
    return any(name in (cfg.get('model') or {}) for name in WRAPPED)


def _wrapped_model(cfg: Config) -> ConfigDict:
    model = cfg.get('model') or {}
    wrapped = [name for name in WRAPPED if name in model]
    if not wrapped:
        raise ValueError(
            f'The model of the config, type={model.get("type")!r}, wraps '
            'nothing: there is no model.segmentor, model.classifier or '
            'model.detector. A model without teacher is plain already.')
    plain = model[wrapped[0]]
    preprocessor = model.get('data_preprocessor', cfg.get('data_preprocessor'))
    if preprocessor is not None:
        plain.setdefault('data_preprocessor', preprocessor)
    return plain


def _add_import(cfg: Config) -> None:
    imports = cfg.get('custom_imports') or {}
    names = list(imports.get('imports', []))
    if 'mic_mm' not in names:
        names.append('mic_mm')
    cfg.custom_imports = dict(imports=names, allow_failed_imports=False)

# Copyright (c) mic_mm authors. All rights reserved.
"""Ways to train on several devices that UDA models do not support."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.config import Config
from mmengine.model import is_model_wrapper
from torch.nn.parallel import DistributedDataParallel

# Settings and their values; None stands for any.
_UNSUPPORTED = {
    'runner_type': ('FlexibleRunner', ),
    'strategy.type': None,
    'model_wrapper_cfg.type':
    ('MMFullyShardedDataParallel', 'MMSeparateDistributedDataParallel'),
}
_SUPPORTED = (
    'Teacher and student are averaged parameter by parameter and trained with '
    'a backward per objective, so each process needs the whole model. '
    "Supported are one process, and MMEngine's runner (no runner_type, no "
    'strategy) with model_wrapper_cfg=dict('
    "type='mic_mm.UDADistributedDataParallel'), or "
    "type='mic_mm.DistributedDataParallel' for one backward.")


def check_config(cfg: Config) -> None:
    """Refuse sharded training of UDA models, before there is a runner.

    Raises:
        TypeError: If the config of a UDA model asks for FSDP, DeepSpeed,
            ColossalAI or a wrapper per submodule.
    """
    if 'objectives' not in (cfg.get('model') or {}):
        return
    for place, kinds in _UNSUPPORTED.items():
        kind = _name(_get(cfg, place))
        if kind is not None and (kinds is None or kind in kinds):
            _refuse(f'{place}={kind!r}')


def check_runner(runner: Any) -> None:
    """The same for a runner that was built in another way.

    Raises:
        TypeError: If it shards the model.
    """
    if type(runner).__name__ == 'FlexibleRunner':
        _refuse("runner_type='FlexibleRunner' with strategy.type="
                f'{type(runner.strategy).__name__!r}')
    model = runner.model
    if is_model_wrapper(model) and not isinstance(model,
                                                  DistributedDataParallel):
        _refuse(f'model_wrapper_cfg.type={type(model).__name__!r}')


def _get(cfg: Config, place: str) -> Any:
    value = cfg
    for key in place.split('.'):
        value = (value or {}).get(key)
    return value


def _name(kind: Any) -> Optional[str]:
    if kind is None:
        return None
    kind = kind if isinstance(kind, str) else kind.__name__
    return kind.rpartition('.')[2]


def _refuse(what: str) -> None:
    raise TypeError(f'{what} does not train UDA models of mic_mm. {_SUPPORTED}')

# Copyright (c) mic_mm authors. All rights reserved.
"""The runner of a config."""
from __future__ import annotations

import copy

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

# Those that MMEngine has without a config; it takes None for no others.
HOOKS_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                     'param_scheduler', 'checkpoint')


def build_runner(cfg: Config) -> Runner:
    """The runner of the config, without the hooks that are None."""
    cfg = copy.deepcopy(cfg)
    hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in hooks.items() if hook is None]:
        if name not in HOOKS_OF_MMENGINE:
            del hooks[name]
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)

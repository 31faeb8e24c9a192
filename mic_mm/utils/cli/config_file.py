# Copyright (c) mic_mm authors. All rights reserved.
"""The config of a tool: a file, and what the command line changes in it."""
from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from .errors import UsageError
from .run import HOOKS_OF_MMENGINE


def load_config(args: argparse.Namespace) -> Config:
    """Read the config of a run and put the command line into it.

    Raises:
        UsageError: If there is no such file, or it cannot be used.
    """
    cfg = read_config(args.config, args.cfg_options)
    if cfg.get('model') is None:
        raise UsageError(f'The config {args.config!r} has no model: it is a '
                         'part of others (_base_), or something else.')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
    return cfg


def read_config(path: str, options: Optional[dict] = None) -> Config:
    """Read a config file and override settings.

    Raises:
        UsageError: If there is no such file, it cannot be read, or an option
            switches off an objective, a term or a hook that the config does
            not have.
    """
    if not Path(path).is_file():
        raise UsageError(
            f'The config file {path!r} does not exist (looked from '
            f'{Path.cwd()}). The configs of mic_mm are in configs/seg, '
            'configs/cls and configs/det.')
    try:
        cfg = Config.fromfile(path)
    # A config is a program, and raises whatever is wrong in it.
    except Exception as error:
        reason = str(error.__cause__ or error).strip().splitlines()
        remedy = 'Correct it, or what it names as _base_.'
        if isinstance(error, ImportError):
            remedy = ('Modules of custom_imports have to be installed, or '
                      'their folder be on PYTHONPATH (PYTHONPATH=. for the '
                      'current one).')
        raise UsageError(
            f'The config file {path!r} cannot be read ({type(error).__name__}: '
            f'{(reason or ["no reason given"])[0]}). {remedy}') from error
    _check_switched_off(cfg, options or {})
    cfg.merge_from_dict(options or {})
    return cfg


# Dicts of named entries, of which None switches one off: what they hold, and
# what MMEngine adds to them.
_SWITCHES = {
    r'model\.objectives': ('objective', ()),
    r'model\.objectives\.\w+\.terms': ('term', ()),
    r'default_hooks': ('hook', HOOKS_OF_MMENGINE),
}


def _check_switched_off(cfg: Config, options: dict) -> None:
    """A misspelt name would be added as one that is off, and trains on."""
    for key, value in options.items():
        place, _, name = key.rpartition('.')
        for pattern, (kind, added) in _SWITCHES.items():
            if value is not None or not re.fullmatch(pattern, place):
                continue
            entries = list(_entries(cfg, place))
            if name not in (*entries, *added):
                raise UsageError(f'--cfg-options {key}=None: the config has '
                                 f'no such {kind}, but {entries}.')


def _entries(cfg: Config, place: str) -> dict:
    entries: Any = cfg
    for key in place.split('.'):
        entries = (entries or {}).get(key)
    return entries or {}

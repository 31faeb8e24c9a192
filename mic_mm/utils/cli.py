# Copyright (c) mic_mm authors. All rights reserved.
"""What the command-line tools share.

Mistakes on the command line raise a :class:`UsageError` that says what to do,
before a runner exists and anything is written.
"""
from __future__ import annotations

import argparse
import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import torch
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mic_mm.engine.parallelism import check_config
from mic_mm.utils.checkpoint_file import CheckpointError, check_checkpoint_file

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


class UsageError(ValueError):
    """A mistake on the command line."""


class ConfigOptions(DictAction):
    """MMEngine's ``key=value`` options, with a usable message."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values or ():
            if '=' not in value:
                parser.error(f'{option_string}: {value!r} is no key=value '
                             'pair, e.g. model.objectives.mic=None.')
        super().__call__(parser, namespace, values, option_string)


def positive_number(text: str) -> int:
    """The type of options that count something."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no positive number.')
    return int(text)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the config file and ``--cfg-options``."""
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. '
        'model.objectives.mic.mask.ratio=0.5 or model.objectives.mic=None; '
        'lists as key="[a,b]" or key=a,b, without spaces')


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the work directory and the launcher."""
    parser.add_argument(
        '--work-dir',
        help='where logs and checkpoints go; default: work_dir of the '
        'config, else work_dirs/<name of the config>')
    parser.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='what started the processes (default: none, there is one)')
    # torch.distributed.launch passes one or the other, depending on its
    # version.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


@contextmanager
def usage_errors(parser: argparse.ArgumentParser,
                 *others: type[Exception]) -> Iterator[None]:
    """Show mistakes of the user as usage errors (exit code 2).

    They are those of the command line, and checkpoints that cannot be used.

    Args:
        parser (argparse.ArgumentParser): Tells them.
        *others (type): Further errors that are mistakes of the user here.
    """
    try:
        yield
    except (UsageError, CheckpointError, *others) as error:
        parser.error(str(error))


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
            switches off an objective that the config does not have.
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
        reason = str(error).strip().splitlines() or ['no reason given']
        raise UsageError(
            f'The config file {path!r} cannot be read ({type(error).__name__}: '
            f'{reason[0]}). Correct it, or what it names as _base_.') from error
    _check_switched_off(cfg, options or {})
    cfg.merge_from_dict(options or {})
    return cfg


def _check_switched_off(cfg: Config, options: dict) -> None:
    """A misspelt name would be added as one that is off, and trains on."""
    objectives = (cfg.get('model') or {}).get('objectives') or {}
    for key, value in options.items():
        place, _, name = key.rpartition('.')
        if (place == 'model.objectives' and value is None
                and name not in objectives):
            raise UsageError(f'--cfg-options {key}=None: the config has no '
                             f'such objective, but {list(objectives)}.')


def check_file(path: str, argument: str, to_resume: bool = False) -> None:
    """Refuse a path without a checkpoint; addresses are left to MMEngine.

    Args:
        path (str): The path.
        argument (str): What named it.
        to_resume (bool): Whether a run is to go on from it. Defaults to
            False.

    Raises:
        UsageError: If there is no such file, or it cannot be used.
    """
    path = str(Path(path).expanduser()) if '://' not in path else path
    if '://' not in path and not Path(path).is_file():
        raise UsageError(f'{argument}: {path!r} does not exist or is no '
                         'file. Give the path of a checkpoint (.pth).')
    try:
        check_checkpoint_file(path, to_resume)
    except CheckpointError as error:
        raise UsageError(f'{argument}: {error}') from error


def check_device(device: str) -> None:
    """Refuse a device that PyTorch does not know or see.

    Raises:
        UsageError: If it cannot be used.
    """
    try:
        torch.device(device)
    except RuntimeError as error:
        raise UsageError(
            f'--device {device} cannot be used: it is unknown to PyTorch.'
        ) from error
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f'--device {device} cannot be used: {reason}') from error


def set_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Evaluate a checkpoint.

    Raises:
        UsageError: If it does not exist or cannot be used.
    """
    check_file(checkpoint, 'checkpoint')
    cfg.load_from = checkpoint
    cfg.resume = False


def set_resume(cfg: Config, resume: Optional[str]) -> None:
    """Resume from a checkpoint, or with ``'auto'`` from the latest one.

    Where there is none yet, ``'auto'`` starts the run as the config says,
    from its ``load_from`` if it has one.

    Raises:
        UsageError: If the checkpoint, or that of ``load_from`` in the config,
            does not exist or cannot be used.
    """
    latest = Path(cfg.work_dir, 'last_checkpoint')
    if resume == 'auto' and latest.is_file():
        cfg.load_from = None
    if resume is not None:
        cfg.resume = resume != 'auto' or cfg.get('load_from') is None
        cfg.load_from = cfg.get('load_from') if resume == 'auto' else resume
    to_resume = bool(cfg.get('resume'))
    if cfg.get('load_from') is not None:
        check_file(cfg.load_from, '--resume' if to_resume else 'load_from',
                   to_resume)
    elif to_resume and latest.is_file():
        path = _latest(latest)
        check_file(path, f'--resume auto (named by {latest})', to_resume)
        if path != latest.read_text().strip():
            cfg.load_from = path


def _latest(latest: Path) -> str:
    """The file that ``last_checkpoint`` names.

    It is the one beside it, if there is one: the absolute path that is named
    is that of another run where the folder was moved or copied.
    """
    path = latest.read_text().strip()
    beside = latest.absolute().with_name(Path(path).name or latest.name)
    if path and '://' not in path and beside.is_file():
        return str(beside)
    return path


_IN_MIXED_PRECISION = {
    'OptimWrapper': 'AmpOptimWrapper',
    'mic_mm.SAMOptimWrapper': 'mic_mm.SAMAmpOptimWrapper',
}


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision.

    The data type is that of ``optim_wrapper.dtype``, ``'float16'`` unless it
    is given.  ``'bfloat16'`` has the range of float32, so its gradients are
    not scaled and no step is skipped.

    Raises:
        UsageError: If the machine or the config does not support it.
    """
    if not has_accelerator():
        raise UsageError('--amp needs a GPU (or NPU, MLU, MUSA), and PyTorch '
                         'sees none. Leave --amp out to train on the CPU.')
    kind = cfg.get('optim_wrapper', {}).get('type', 'OptimWrapper')
    if kind not in (*_IN_MIXED_PRECISION, *_IN_MIXED_PRECISION.values()):
        raise UsageError(f'--amp replaces optim_wrapper.type by that of mixed '
                         f'precision ({_IN_MIXED_PRECISION}), but the config '
                         f'has {kind!r}. Set it in the config instead.')
    cfg.optim_wrapper.type = _IN_MIXED_PRECISION.get(kind, kind)
    scale = 'dynamic'
    if str(cfg.optim_wrapper.get('dtype')).endswith('bfloat16'):
        scale = dict(enabled=False)
    cfg.optim_wrapper.setdefault('loss_scale', scale)


def has_accelerator() -> bool:
    """Whether there is a device that MMEngine can distribute to."""
    return get_device() not in ('cpu', 'mps')


# Those that MMEngine has without a config; it takes None for no others.
_HOOKS_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                      'param_scheduler', 'checkpoint')


def build_runner(cfg: Config) -> Runner:
    """The runner of the config, without the hooks that are None."""
    cfg = copy.deepcopy(cfg)
    hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in hooks.items() if hook is None]:
        if name not in _HOOKS_OF_MMENGINE:
            del hooks[name]
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def check_launcher(cfg: Config) -> None:
    """Refuse a launcher or a kind of parallelism that is not supported.

    Raises:
        UsageError: If the launcher needs a GPU and there is none, or the
            config shards a UDA model.
    """
    try:
        check_config(cfg)
    except TypeError as error:
        raise UsageError(str(error)) from error
    if cfg.launcher in ('slurm', 'mpi') and not has_accelerator():
        raise UsageError(f'--launcher {cfg.launcher} needs a GPU, and PyTorch '
                         'sees none. On the CPU use tools/dist_train.sh.')


@contextmanager
def process_group(cfg: Config) -> Iterator[None]:
    """On a machine without a GPU, a process group of gloo.

    MMEngine would ask for a CUDA device when it makes the group, so on the
    CPU the group is made here, before there is a runner.
    """
    if cfg.launcher != 'pytorch' or has_accelerator():
        yield
        return
    torch.distributed.init_process_group('gloo')
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()

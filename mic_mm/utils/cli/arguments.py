# Copyright (c) mic_mm authors. All rights reserved.
"""Arguments that tools share."""
from __future__ import annotations

import argparse
from typing import Optional

from mmengine.config import DictAction

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


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


def add_branch_argument(parser: argparse.ArgumentParser) -> None:
    """Add the network that is meant of a checkpoint of mic_mm."""
    parser.add_argument(
        '--branch',
        choices=('student', 'teacher'),
        help='which network (default: predict_on of the config, else '
        'student)')


def add_size_argument(parser: argparse.ArgumentParser,
                      help: str,
                      default: Optional[tuple[int, int]] = None) -> None:
    """Add ``--size HEIGHT WIDTH``, in this order in all tools."""
    parser.add_argument(
        '--size',
        type=positive_number,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        default=default,
        help=help)


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

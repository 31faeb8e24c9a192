#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Show what training will see, before training: CONFIG [--checkpoint CKPT].

Source, target, mixed and masked images, pseudo-labels and their weights go to
OUT_DIR/<config>.png and, with a filter, to OUT_DIR/<config>.html. They come
from the data loader and the objectives of the config, and are what training in
one process sees in that iteration. No label of the target is used.
"""
from __future__ import annotations

import argparse
from pathlib import Path

from mmengine.logging import MMLogger

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.utils.told_errors import told_errors
from mic_mm.visualization.browse import TrainingReplay
from mic_mm.visualization.browse.files import write_browse_files


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument(
        '--checkpoint',
        help='whose teacher gives the pseudo-labels (default: the teacher '
        'that training starts with)')
    parser.add_argument(
        '--num', type=int, default=8, help='how many images (default: 8)')
    parser.add_argument(
        '--iteration',
        type=int,
        help='first iteration to show, from 0 (default: that of the '
        'checkpoint, else the first in which all objectives are active)')
    parser.add_argument(
        '--seed',
        type=int,
        help='seed of the run (default: randomness.seed of the config)')
    parser.add_argument(
        '--tile-size',
        type=int,
        default=256,
        help='about the longer side of an image on the page in pixels '
        '(default: 256)')
    parser.add_argument(
        '--out-dir',
        type=Path,
        default=Path('browse'),
        help='where the files go (default: browse)')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.read_config(args.config, args.cfg_options)
        if args.checkpoint is not None:
            cli.check_file(args.checkpoint, '--checkpoint')
        for name in ('num', 'tile_size'):
            if getattr(args, name) < 1:
                raise cli.UsageError(
                    f'--{name.replace("_", "-")} has to be at least 1.')
        if args.iteration is not None and args.iteration < 0:
            raise cli.UsageError('--iteration counts from 0.')
    # Without a log file, MMEngine shows how each parameter was initialised.
    MMLogger.get_instance('browse_uda', log_level='WARNING')
    with told_errors(parser):
        replay = TrainingReplay(cfg, args.checkpoint, args.seed)
        paths = write_browse_files(replay, Path(args.config).stem,
                                   args.out_dir, args.num, args.iteration,
                                   args.tile_size)
    for path in paths:
        print(path)


if __name__ == '__main__':
    main()

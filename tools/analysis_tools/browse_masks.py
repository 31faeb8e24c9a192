#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Show masks of several ratios and block sizes: CONFIG, or IMAGE...

With a config: target images as they reach its masks, and the masks of
training. With images: as they are, or resized to the network's input by
--size. Writes OUT_DIR/masks.png and, with a filter, OUT_DIR/masks.html.
"""
from __future__ import annotations

import argparse
from pathlib import Path

from mmengine.logging import MMLogger

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.visualization.browse.mask_files import (
    sweep_of_config,
    sweep_of_images,
    write_mask_files,
)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'inputs', nargs='+', help='a config file (.py), or image files')
    parser.add_argument(
        '--ratios',
        nargs='+',
        type=float,
        default=[0.3, 0.5, 0.7],
        help='shares of hidden blocks (default: 0.3 0.5 0.7)')
    parser.add_argument(
        '--block-sizes',
        nargs='+',
        type=int,
        help='sides of blocks in pixels (default: 16 32 64, with a config '
        'half, once and twice the size there)')
    _add_config_arguments(parser)
    _add_picture_arguments(parser)
    return parser


def _add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--num',
        type=int,
        default=2,
        help='images of a config (default: 2)')
    parser.add_argument(
        '--iteration',
        type=int,
        default=0,
        help='iteration of a config, from 0 (default: 0)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=cli.ConfigOptions,
        metavar='KEY=VALUE',
        help='override settings of the config')


def _add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_size_argument(parser, 'resize image files to this size first')
    parser.add_argument(
        '--seed', type=int, help='default: that of the config, or 0')
    parser.add_argument(
        '--tile-size',
        type=int,
        default=256,
        help='about the longer side of an image in pixels (default: 256)')
    parser.add_argument(
        '--out-dir',
        type=Path,
        default=Path('browse'),
        help='where the files go (default: browse)')


def make_sweep(args: argparse.Namespace):
    """The sweep and the names of its images."""
    if len(args.inputs) == 1 and args.inputs[0].endswith('.py'):
        cfg = cli.read_config(args.inputs[0], args.cfg_options)
        return sweep_of_config(cfg, args.ratios, args.block_sizes, args.num,
                               args.iteration, args.seed)
    for path in args.inputs:
        if path.endswith('.py'):
            raise cli.UsageError('Give one config, or images, not both.')
        if not Path(path).is_file():
            raise cli.UsageError(f'{path!r} does not exist or is no file.')
    return sweep_of_images(args.inputs, args.ratios, args.block_sizes,
                           args.size, args.seed or 0)


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    # Without a log file, MMEngine shows how each parameter was initialised.
    MMLogger.get_instance('browse_masks', log_level='WARNING')
    with cli.usage_errors(parser, FileNotFoundError, TypeError, ValueError):
        sweeps = make_sweep(args)
        paths = write_mask_files(sweeps, args.out_dir, args.tile_size)
    for path in paths:
        print(path)


if __name__ == '__main__':
    main()

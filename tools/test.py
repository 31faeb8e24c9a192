#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Evaluate a checkpoint: python tools/test.py CONFIG CHECKPOINT ..."""
import argparse

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli, predictions
from mic_mm.utils.told_errors import told_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Evaluate a model on the test set')
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='path of the checkpoint')
    cli.add_run_arguments(parser)
    parser.add_argument(
        '--out', metavar='FILE.pkl', help='save the predictions')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window')
    parser.add_argument(
        '--show-dir', help='draw predictions into this folder')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2.,
        help='seconds to show each image (default: 2)')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.load_config(args)
        cli.check_launcher(cfg)
        if args.out is not None:
            predictions.save(cfg, args.out)
        cli.set_checkpoint(cfg, args.checkpoint)
        if args.show or args.show_dir:
            predictions.draw(cfg, args.show, args.show_dir, args.wait_time)
    with cli.usage_errors(parser), told_errors(parser), cli.process_group(cfg):
        cli.build_runner(cfg).test()


if __name__ == '__main__':
    main()

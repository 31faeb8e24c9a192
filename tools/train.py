#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train a model: python tools/train.py CONFIG [--work-dir DIR] ..."""
import argparse

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.utils.told_errors import told_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Train a model')
    cli.add_config_arguments(parser)
    cli.add_run_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint; without a value or with "auto" '
        'from the latest one in the work directory, if there is one')
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.load_config(args)
        cli.check_launcher(cfg)
        cli.set_resume(cfg, args.resume)
        if args.amp:
            cli.enable_amp(cfg)
        cli.check_mixed_precision(cfg)
    with cli.usage_errors(parser), told_errors(
            parser, 'interrupted; --resume goes on from the latest '
            'checkpoint'), cli.process_group(cfg):
        cli.build_runner(cfg).train()


if __name__ == '__main__':
    main()

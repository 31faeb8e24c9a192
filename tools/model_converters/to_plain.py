#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the trained model for its own library: CONFIG CHECKPOINT OUT_DIR.

The folder gets a config (.py) and a checkpoint (.pth) without teacher and
objectives, which MMSegmentation, MMPretrain or MMDetection use as they are,
e.g. in `mmseg.apis.init_model(config, checkpoint)`.
"""
import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.utils.plain_files import write_plain


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint of the training')
    parser.add_argument('out_dir', type=Path, help='folder to write into')
    cli.add_branch_argument(parser)
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError, ImportError):
        cfg = cli.read_config(args.config, args.cfg_options)
        written = write_plain(cfg, args.checkpoint,
                              args.out_dir / Path(args.config).stem,
                              args.branch)
    print(f'Config: {written.config}\n'
          f'Checkpoint ({written.branch}): {written.checkpoint}')


if __name__ == '__main__':
    main()

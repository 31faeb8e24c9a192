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
from mic_mm.utils.checkpoint_file import read_checkpoint, save_weights
from mic_mm.utils.plain_export import BRANCHES, build_plain, plain_config, plain_weights
from mic_mm.utils.strict_loading import load_strictly


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint of the training')
    parser.add_argument('out_dir', type=Path, help='folder to write into')
    parser.add_argument(
        '--branch',
        choices=BRANCHES,
        default='student',
        help='which network (default: student)')
    return parser


def export(args: argparse.Namespace) -> tuple[Path, Path]:
    """Write config and checkpoint; returns their paths."""
    cfg = plain_config(cli.read_config(args.config, args.cfg_options))
    checkpoint = read_checkpoint(args.checkpoint)
    weights = plain_weights(checkpoint['state_dict'], args.branch)
    load_strictly(build_plain(cfg), weights, args.checkpoint)
    stem = Path(args.config).stem  # with_suffix() would cut a dotted name
    paths = args.out_dir / f'{stem}.py', args.out_dir / f'{stem}.pth'
    args.out_dir.mkdir(parents=True, exist_ok=True)
    cfg.dump(paths[0])
    meta = checkpoint.get('meta', {})
    save_weights(paths[1], weights, {
        key: meta[key]
        for key in ('dataset_meta', 'iter', 'epoch', 'seed') if key in meta
    })
    return paths


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    try:
        paths = export(args)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print(f'Config: {paths[0]}\nCheckpoint ({args.branch}): {paths[1]}')


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Convert a checkpoint of the original MIC, HRDA or DAFormer: CHECKPOINT OUT.

OUT (.pth) holds one network under the names of MMSegmentation 1.x. Give the
config of the checkpoint, the original's (.py, .json) or one of mic_mm, and
every weight is checked to have a place in the network and every place a
weight; of an original config, a config for `mmseg.apis.init_model` is written
beside OUT.
"""
import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.seg.checkpoints import BRANCHES, convert_weights, present_branches, select_branch
from mic_mm.seg.checkpoints.inference_config import inference_config, is_original_config
from mic_mm.utils import cli
from mic_mm.utils.checkpoint_file import read_checkpoint, save_weights
from mic_mm.utils.plain_export import WRAPPED, build_plain, plain_config
from mic_mm.utils.strict_loading import load_strictly


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='checkpoint of the original')
    parser.add_argument('out', type=Path, help='file to write (.pth)')
    parser.add_argument(
        '--config', help='config of the network, to check the weights by')
    parser.add_argument(
        '--branch',
        choices=BRANCHES,
        default='student',
        help='which network (default: student, which was evaluated)')
    return parser


def convert(args: argparse.Namespace) -> list[str]:
    """Convert and write; returns what to tell."""
    checkpoint = read_checkpoint(args.checkpoint)
    state_dict = checkpoint['state_dict']
    weights = convert_weights(select_branch(state_dict, args.branch))
    told = [
        f'Branches of the checkpoint: {present_branches(state_dict)}.',
        f'{len(weights)} weights of {args.branch!r} are written to '
        f'{args.out}.'
    ]
    if args.config is None:
        told.append('They were not compared with a network; give --config.')
    else:
        told += _check(args, weights)
    save_weights(args.out, weights, _meta(checkpoint.get('meta', {})))
    return told


def _check(args: argparse.Namespace, weights: dict) -> list[str]:
    cfg = cli.read_config(args.config)
    if is_original_config(cfg):
        cfg = inference_config(cfg)
        path = args.out.with_suffix('.py')
        path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(path)
        told = [f'Their config for MMSegmentation is {path}.']
    else:
        told = []
        if any(name in cfg.model for name in WRAPPED):
            cfg = plain_config(cfg)
    model = build_plain(cfg)
    if args.branch == 'imagenet':
        weights = {
            name.removeprefix('backbone.'): value
            for name, value in weights.items()
        }
        model = model.backbone
    load_strictly(model, weights, args.checkpoint)
    return told


def _meta(meta: dict) -> dict:
    if 'CLASSES' not in meta:
        return {}
    return dict(
        dataset_meta=dict(
            classes=meta['CLASSES'], palette=meta.get('PALETTE')))


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError):
        told = convert(args)
    print('\n'.join(told))


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Convert a checkpoint of the original SADA or MIC(SADA): CHECKPOINT OUT.

OUT (.pth) holds the detector of maskrcnn-benchmark, student or teacher, under
the names of MMDetection 3.x. Give the config it is for, and every weight is
checked to have a place in the detector and every place a weight.
"""
import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.det import QuantizedAnchorGenerator
from mic_mm.det.checkpoints import convert_weights, select_network
from mic_mm.utils import cli
from mic_mm.utils.checkpoint_file import read_checkpoint, save_weights
from mic_mm.utils.plain_export import WRAPPED, build_plain, plain_config
from mic_mm.utils.strict_loading import load_strictly

CLASSES = ('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle',
           'bicycle')


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='checkpoint of the original')
    parser.add_argument('out', type=Path, help='file to write (.pth)')
    parser.add_argument(
        '--config', help='config of the detector, to check the weights by')
    parser.add_argument(
        '--classes',
        nargs='+',
        default=CLASSES,
        help='names of the classes (default: those of Cityscapes)')
    return parser


def convert(args: argparse.Namespace) -> list[str]:
    """Convert and write; returns what to tell."""
    checkpoint = read_checkpoint(args.checkpoint, key='model')
    model = None if args.config is None else _build(args.config)
    weights = convert_weights(
        select_network(checkpoint['state_dict']), _base_anchors(model))
    if model is not None:
        load_strictly(model, weights, args.checkpoint)
    found = len(weights['roi_head.bbox_head.fc_cls.bias']) - 1
    if found != len(args.classes):
        raise ValueError(
            f'The checkpoint has {found} classes, but there are '
            f'{len(args.classes)} names; give them with --classes.')
    save_weights(
        args.out, weights, dict(dataset_meta=dict(classes=list(args.classes))))
    told = [f'{len(weights)} weights are written to {args.out}.']
    if model is None:
        told.append('They were not compared with a detector; give --config.')
    return told


def _build(path: str):
    cfg = cli.read_config(path)
    if any(name in cfg.model for name in WRAPPED):
        cfg = plain_config(cfg)
    return build_plain(cfg)


def _base_anchors(model) -> list:
    """Anchors of the detector, or those SADA uses."""
    if model is None:
        return QuantizedAnchorGenerator(
            strides=[4, 8, 16, 32, 64], ratios=[0.5, 1.0, 2.0],
            scales=[8]).base_anchors
    return model.rpn_head.prior_generator.base_anchors


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError):
        told = convert(args)
    print('\n'.join(told))


if __name__ == '__main__':
    main()

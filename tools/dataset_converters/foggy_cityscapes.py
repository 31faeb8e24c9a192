#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the boxes of Foggy Cityscapes as COCO files.

ROOT has the folder leftImg8bit_foggy as published; the instance maps are
those of Cityscapes, in ROOT/gtFine or in the folder given as --cityscapes.
Of the three densities of fog the densest, beta = 0.02, is what the papers
use. Written are
  annotations/foggy_instancesonly_filtered_gtFine_{train,val}_poly.json
and with another beta annotations/foggy_beta_<beta>_..., by the rules of MIC
and SADA (see cityscapes_detection.py).
"""
import sys
from pathlib import Path

from mic_mm.det.dataset_tools.conversion import convert, find_names, make_parser
from mic_mm.det.dataset_tools.instance_map import InstanceMapReader
from mic_mm.det.dataset_tools.records import AnnotatedImage
from mic_mm.utils import cli

BETAS = ('0.005', '0.01', '0.02')
PUBLISHED_BETA = '0.02'
INSTANCES = '_gtFine_instanceIds.png'
SPLITS = ('train', 'val')


def find_split(root: Path, cityscapes: Path, split: str,
               beta: str) -> list[AnnotatedImage]:
    """Images of a split and a density, and their instance maps."""
    images = root / 'leftImg8bit_foggy' / split
    labels = cityscapes / 'gtFine' / split
    suffix = f'_leftImg8bit_foggy_beta_{beta}.png'
    return [
        AnnotatedImage(images / f'{name}{suffix}',
                       labels / f'{name}{INSTANCES}',
                       f'{split}/{name}{suffix}')
        for name in find_names(images, suffix, labels, INSTANCES)
    ]


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--cityscapes',
        type=Path,
        help='folder that holds gtFine (default: ROOT)')
    parser.add_argument(
        '--beta',
        choices=BETAS,
        default=PUBLISHED_BETA,
        help='density of the fog (default: %(default)s)')
    args = parser.parse_args()
    read = InstanceMapReader('mic', args.decode_images)
    prefix = 'foggy_' if args.beta == PUBLISHED_BETA else (
        f'foggy_beta_{args.beta}_')
    out = args.out or args.root / 'annotations'
    with cli.usage_errors(parser, FileNotFoundError):
        items = {
            s: find_split(args.root, args.cityscapes or args.root, s,
                          args.beta)
            for s in SPLITS
        }
    codes = [
        convert(
            args, items[split], read,
            out / f'{prefix}instancesonly_filtered_gtFine_{split}_poly.json',
            dict(
                description=f'Foggy Cityscapes {split}',
                beta=args.beta,
                style='mic')) for split in SPLITS
    ]
    sys.exit(max(codes))


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the boxes of Cityscapes as COCO files.

ROOT has the folders leftImg8bit and gtFine as published; the packages of
Cityscapes and maskrcnn-benchmark are not needed. Written are
  annotations/instancesonly_filtered_gtFine_{train,val}_poly.json  (style mic)
  annotations/instancesonly_filtered_gtFine_{train,val}.json       (style mmdet)

Style mic has the rules by which the annotations of MIC and SADA were made:
no groups, no instance of which something in front leaves a sliver of one or
two points, categories 1 to 8, file names with the split. Style mmdet has
those of MMDetection's converter: groups are crowds, every instance is kept,
categories are label ids. Average precisions of the two are not comparable;
the configs of mic_mm read style mic.
"""
import sys
from pathlib import Path

from mic_mm.det.dataset_tools.conversion import convert, find_names, make_parser
from mic_mm.det.dataset_tools.instance_map import STYLES, InstanceMapReader
from mic_mm.det.dataset_tools.records import AnnotatedImage
from mic_mm.utils import cli

IMAGE, INSTANCES = '_leftImg8bit.png', '_gtFine_instanceIds.png'
SPLITS = ('train', 'val')


def find_split(root: Path, split: str, style: str) -> list[AnnotatedImage]:
    """Images of a split and their instance maps."""
    images, labels = root / 'leftImg8bit' / split, root / 'gtFine' / split
    prefix = '' if style == 'mmdet' else f'{split}/'
    return [
        AnnotatedImage(images / f'{name}{IMAGE}',
                       labels / f'{name}{INSTANCES}', f'{prefix}{name}{IMAGE}')
        for name in find_names(images, IMAGE, labels, INSTANCES)
    ]


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--style',
        choices=STYLES,
        default='mic',
        help='rules of the boxes (default: mic)')
    args = parser.parse_args()
    read = InstanceMapReader(args.style, args.decode_images)
    suffix = '_poly' if args.style == 'mic' else ''
    out = args.out or args.root / 'annotations'
    with cli.usage_errors(parser, FileNotFoundError):
        items = {s: find_split(args.root, s, args.style) for s in SPLITS}
    codes = [
        convert(args, items[split], read,
                out / f'instancesonly_filtered_gtFine_{split}{suffix}.json',
                dict(description=f'Cityscapes {split}', style=args.style))
        for split in SPLITS
    ]
    sys.exit(max(codes))


if __name__ == '__main__':
    main()

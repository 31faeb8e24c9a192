#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the cars of KITTI's object detection as a COCO file.

ROOT is where the left colour images and the labels were extracted:
  ROOT/training/{image_2,label_2}
Written is annotations/kitti_train.json with all labelled images and the
category car. Only objects of the type Car are cars, unless --types says
otherwise (e.g. --types Car Van); regions that are not labelled (DontCare)
are left out.
"""
import sys

from mic_mm.det.dataset_tools.box_files import KITTIReader
from mic_mm.det.dataset_tools.conversion import convert, find_annotated, make_parser
from mic_mm.utils import cli

TYPES = ('Car', 'Van', 'Truck')


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--types',
        nargs='+',
        choices=TYPES,
        default=['Car'],
        help='types of objects that are cars (default: Car)')
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError):
        items = find_annotated(
            args.root, ('training', ''), 'label_2/*.txt', 'image_2/{}.png')
    read = KITTIReader(
        tuple((name, 'car') for name in args.types), args.decode_images)
    out = args.out or args.root / 'annotations'
    sys.exit(
        convert(args, items, read, out / 'kitti_train.json',
                dict(description='KITTI', types=args.types)))


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the boxes of Sim10k (Driving in the Matrix) as a COCO file.

ROOT is where the archives of the 10k images were extracted:
  ROOT/VOC2012/{JPEGImages,Annotations}
The folder VOC2012 may be missing. Written is annotations/sim10k_train.json
with all images and the category car, which is what the papers train on;
--classes car motorbike person keeps the others too.
"""
import sys

from mic_mm.det.dataset_tools.box_files import VOCReader
from mic_mm.det.dataset_tools.conversion import convert, find_annotated, make_parser
from mic_mm.utils import cli

CLASSES = ('car', 'motorbike', 'person')


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--classes',
        nargs='+',
        choices=CLASSES,
        default=['car'],
        help='categories, in this order (default: car)')
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError):
        items = find_annotated(
            args.root, ('VOC2012', ''), 'Annotations/*.xml', 'JPEGImages/{}.jpg')
    read = VOCReader(tuple(args.classes), args.decode_images)
    out = args.out or args.root / 'annotations'
    sys.exit(
        convert(args, items, read, out / 'sim10k_train.json',
                dict(description='Sim10k', classes=args.classes)))


if __name__ == '__main__':
    main()

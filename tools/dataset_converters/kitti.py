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
from pathlib import Path

from mic_mm.det.dataset_tools.box_files import KITTIReader
from mic_mm.det.dataset_tools.conversion import convert, make_parser
from mic_mm.det.dataset_tools.records import AnnotatedImage

TYPES = ('Car', 'Van', 'Truck')


def find_items(root: Path) -> list[AnnotatedImage]:
    """Labels and their images, by name.

    Raises:
        FileNotFoundError: If there are none.
    """
    for folder in (root / 'training', root):
        found = sorted(folder.glob('label_2/*.txt'))
        if found:
            return [
                AnnotatedImage(folder / 'image_2' / f'{path.stem}.png', path,
                               f'{path.stem}.png') for path in found
            ]
    raise FileNotFoundError(
        f'There are no labels {root}/training/label_2/*.txt. Give the folder '
        'into which the archives were extracted.')


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--types',
        nargs='+',
        choices=TYPES,
        default=['Car'],
        help='types of objects that are cars (default: Car)')
    args = parser.parse_args()
    try:
        items = find_items(args.root)
    except FileNotFoundError as error:
        parser.error(str(error))
    read = KITTIReader(
        tuple((name, 'car') for name in args.types), args.decode_images)
    out = args.out or args.root / 'annotations'
    sys.exit(
        convert(args, items, read, out / 'kitti_train.json',
                dict(description='KITTI', types=args.types)))


if __name__ == '__main__':
    main()

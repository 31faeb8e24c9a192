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
from pathlib import Path

from mic_mm.det.dataset_tools.box_files import VOCReader
from mic_mm.det.dataset_tools.conversion import convert, make_parser
from mic_mm.det.dataset_tools.records import AnnotatedImage

CLASSES = ('car', 'motorbike', 'person')


def find_items(root: Path) -> list[AnnotatedImage]:
    """Annotations and their images, by name.

    Raises:
        FileNotFoundError: If there are none.
    """
    for folder in (root / 'VOC2012', root):
        found = sorted(folder.glob('Annotations/*.xml'))
        if found:
            return [
                AnnotatedImage(
                    folder / 'JPEGImages' / f'{path.stem}.jpg', path,
                    f'{path.stem}.jpg') for path in found
            ]
    raise FileNotFoundError(
        f'There are no annotations {root}/VOC2012/Annotations/*.xml. Give '
        'the folder into which the archives were extracted.')


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--classes',
        nargs='+',
        choices=CLASSES,
        default=['car'],
        help='categories, in this order (default: car)')
    args = parser.parse_args()
    try:
        items = find_items(args.root)
    except FileNotFoundError as error:
        parser.error(str(error))
    read = VOCReader(tuple(args.classes), args.decode_images)
    out = args.out or args.root / 'annotations'
    sys.exit(
        convert(args, items, read, out / 'sim10k_train.json',
                dict(description='Sim10k', classes=args.classes)))


if __name__ == '__main__':
    main()

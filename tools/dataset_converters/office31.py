#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the list files of Office-31.

ROOT is where the archive was extracted:
  ROOT/{amazon,dslr,webcam}/images/<31 classes>/*.jpg
The folder `images` may be missing. Written are
image_list/{amazon,dslr,webcam}.txt.
"""
import sys

from mic_mm.cls.dataset_tools import convert_folders, make_parser
from mic_mm.cls.datasets import Office31
from mic_mm.utils import cli

DOMAINS = {
    name: [f'{name}/images', name]
    for name in ('amazon', 'dslr', 'webcam')
}


def main() -> None:
    parser = make_parser(__doc__)
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError, ValueError):
        sys.exit(convert_folders(args, Office31.METAINFO['classes'], DOMAINS))


if __name__ == '__main__':
    main()

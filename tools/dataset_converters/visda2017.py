#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the list files of VisDA-2017.

ROOT is where train.tar and validation.tar were extracted:
  ROOT/train/<12 classes>/*.png         synthetic renderings, the source
  ROOT/validation/<12 classes>/*.jpg    photographs, the target
Written are image_list/train.txt and image_list/validation.txt.
"""
import sys

from mic_mm.cls.dataset_tools import convert_folders, make_parser
from mic_mm.cls.datasets import VisDA2017
from mic_mm.utils import cli

DOMAINS = dict(train=['train'], validation=['validation'])


def main() -> None:
    parser = make_parser(__doc__)
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError, ValueError):
        sys.exit(
            convert_folders(args, VisDA2017.METAINFO['classes'], DOMAINS))


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write the list files of Office-Home.

ROOT is where the archive was extracted:
  ROOT/{Art,Clipart,Product,Real World}/<65 classes>/*.jpg
Real_World and RealWorld are fine as well. Written are
image_list/{Art,Clipart,Product,Real_World}.txt. The labels have the order of
the list files of CDAN, SDAT and MIC, which is not the alphabetical one.
"""
import sys

from mic_mm.cls.dataset_tools import convert_folders, make_parser
from mic_mm.cls.datasets import OfficeHome
from mic_mm.utils import cli

DOMAINS = dict(
    Art=['Art'],
    Clipart=['Clipart'],
    Product=['Product'],
    Real_World=['Real_World', 'Real World', 'RealWorld'])


def main() -> None:
    parser = make_parser(__doc__)
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError, ValueError):
        sys.exit(
            convert_folders(args, OfficeHome.METAINFO['classes'], DOMAINS))


if __name__ == '__main__':
    main()

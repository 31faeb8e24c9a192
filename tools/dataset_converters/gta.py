#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Prepare GTA for training on the 19 classes of Cityscapes.

ROOT has the folders images and labels as published. Written are
  labels/*_labelTrainIds.png      indices of the classes, 255 without class
  sample_class_stats.json, sample_class_stats_dict.json, samples_with_class.json
                                  pixels of each class, for rare class sampling
"""
import sys

from mic_mm.seg.dataset_tools.command_line import convert_flat, make_parser
from mic_mm.seg.dataset_tools.label_readers import read_index_image
from mic_mm.seg.datasets.label_ids import GTA_IDS
from mic_mm.utils import cli


def main() -> None:
    parser = make_parser(__doc__)
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError):
        code = convert_flat(args, 'labels', 'images', GTA_IDS,
                            read_index_image)
    sys.exit(code)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Prepare Cityscapes for training on its 19 classes.

ROOT has the folders leftImg8bit and gtFine as published. Label maps are made
from *_gtFine_labelIds.png, or drawn from *_gtFine_polygons.json where these
are missing; the package cityscapesScripts is not needed. Written are
  gtFine/*/*/*_gtFine_labelTrainIds.png   indices of the classes, 255 without
  train.txt, val.txt, test.txt            names of the images of each split
  sample_class_stats.json, sample_class_stats_dict.json, samples_with_class.json
                                          pixels of each class in the training
                                          images, for rare class sampling
"""
import sys
from pathlib import Path

from mic_mm.seg.dataset_tools.cityscapes_files import (
    IMAGE,
    SPLITS,
    TRAIN_IDS,
    find_split,
    names_of,
    read_cityscapes_label,
)
from mic_mm.seg.dataset_tools.command_line import check_images, convert, make_parser
from mic_mm.seg.dataset_tools.outcome import report, statistics_of
from mic_mm.seg.datasets.label_ids import CITYSCAPES_IDS
from mic_mm.utils import cli


def write_list(root: Path, split: str, outcomes: list) -> None:
    """Write the names of the images whose labels can be used.

    The labels of the test images are not published; all images are listed.
    """
    if split == 'test':
        folder, suffix = root / 'leftImg8bit' / split, IMAGE
        files = sorted(folder.glob(f'*/*{suffix}'))
    else:
        folder, suffix = root / 'gtFine' / split, TRAIN_IDS
        files = [Path(o.file) for o in outcomes if o.problem is None]
    names = names_of(files, folder, suffix)
    (root / f'{split}.txt').write_text(''.join(f'{n}\n' for n in names))


def main() -> None:
    parser = make_parser(__doc__)
    args = parser.parse_args()
    if not find_split(args.root, 'train'):
        parser.error(f'There are no label maps in {args.root}/gtFine/train/'
                     '<city>. Give the folder that holds gtFine and '
                     'leftImg8bit as root.')
    with cli.usage_errors(parser, FileNotFoundError):
        check_images(args.root / 'leftImg8bit')
    every = []
    for split in SPLITS:
        outcomes = convert(args, find_split(args.root, split), CITYSCAPES_IDS,
                           read_cityscapes_label, f'{args.root} {split}')
        write_list(args.root, split, outcomes)
        if split == 'train':
            statistics_of(outcomes).write(args.root)
        every += outcomes
    sys.exit(report(every, 'converted'))


if __name__ == '__main__':
    main()

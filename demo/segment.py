#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Segment images or a video: IMAGE CONFIG CHECKPOINT [--out-dir DIR].

Config and checkpoint of a run of mic_mm, or exported ones. MMSegmentation's
inferencer predicts and draws.
"""
# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils.demo import main, make_parser


def run() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--opacity',
        type=float,
        default=0.6,
        help='of the colours over the image, 0 to 1 (default: 0.6)')
    parser.add_argument(
        '--with-labels',
        action='store_true',
        help='write the names of the classes into the picture')
    main('mmseg', parser, ('opacity', 'with_labels'))


if __name__ == '__main__':
    run()

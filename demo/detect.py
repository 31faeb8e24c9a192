#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Detect objects in images or a video: IMAGE CONFIG CHECKPOINT [--out-dir DIR].

Config and checkpoint of a run of mic_mm, or exported ones. MMDetection's
inferencer predicts and draws.
"""
# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils.demo import main, make_parser


def run() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--score',
        dest='pred_score_thr',
        type=float,
        default=0.3,
        help='boxes below are not drawn (default: 0.3, as in MMDetection)')
    main('mmdet', parser, ('pred_score_thr', ))


if __name__ == '__main__':
    run()

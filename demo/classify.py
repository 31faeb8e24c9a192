#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Classify images or a video: IMAGE CONFIG CHECKPOINT [--out-dir DIR].

Config and checkpoint of a run of mic_mm, or exported ones. MMPretrain's
inferencer predicts and draws.
"""
# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils.demo import main, make_parser


def run() -> None:
    main('mmpretrain', make_parser(__doc__))


if __name__ == '__main__':
    run()

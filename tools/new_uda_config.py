#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write a config that adapts a stock model to your own folders of images.

    python tools/new_uda_config.py --task seg \
        --base mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py \
        --source IMAGES --source-labels LABEL_MAPS --target IMAGES \
        --classes road car sky --out my_config.py

The folders are checked first.  The guide is docs/en/user_guides/custom_dataset.md.
"""
import argparse
import shlex

# First of all, so that `mmseg::...` is found with any distribution.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.utils.new_config import command_line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_folder_arguments(parser)
    command_line.add_config_arguments(parser)
    args = parser.parse_args()
    with cli.usage_errors(parser):
        path = command_line.write_config(args)
    print(f'{path} is written. Train with\n'
          f'    python tools/train.py {shlex.quote(str(path))}')


if __name__ == '__main__':
    main()

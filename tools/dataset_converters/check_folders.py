#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Check folders of images before training: can every file be used?

    python tools/dataset_converters/check_folders.py --task seg \
        --source IMAGES --source-labels LABEL_MAPS --target IMAGES

Images can be decoded, each labelled one has its label, label maps have its size and
hold classes, boxes fit.  The exit code is 2 if not.  tools/new_uda_config.py does the
same before it writes a config.
"""
import argparse

from mic_mm.utils import cli
from mic_mm.utils.new_config import command_line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_folder_arguments(parser)
    args = parser.parse_args()
    with cli.usage_errors(parser):
        command_line.report(*command_line.check_folders(args))


if __name__ == '__main__':
    main()

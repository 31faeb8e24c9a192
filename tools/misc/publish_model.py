#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Make a checkpoint ready to be given away: IN OUT.

OUT gets the first eight digits of its SHA-256 behind its name. Left out are
optimizer, message hub and random states, the config with its paths, and
teacher and objectives of mic_mm.
"""
import argparse
from pathlib import Path

from mic_mm.utils import cli
from mic_mm.utils.publish import REMOVABLE, publish


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('in_file', help='the checkpoint')
    parser.add_argument('out_file', type=Path, help='e.g. mic_daformer.pth')
    parser.add_argument(
        '--keep',
        nargs='+',
        choices=REMOVABLE,
        default=(),
        help='what of mic_mm to keep besides the student')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError):
        published = publish(args.in_file, args.out_file, args.keep)
    before, after = (Path(path).stat().st_size / 2**20
                     for path in (args.in_file, published))
    print(f'{published}: {after:.1f} MiB of {before:.1f} MiB')


if __name__ == '__main__':
    main()

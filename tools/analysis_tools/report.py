#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write a report on training runs: WORK_DIR... [--out report.html].

One web page in one file: progress, validation, classes, pseudo-labels, losses,
what was trained on, and in which settings the runs differ. For work
directories of MMEngine, whatever they trained; folders above them will do.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.visualization.report import read_runs, run_report


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'work_dirs', nargs='+', type=Path, help='work directories of runs')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('report.html'),
        help='file of the report (default: report.html)')
    parser.add_argument(
        '--title', default='Report', help='its title (default: Report)')
    parser.add_argument(
        '--panels',
        type=int,
        default=3,
        help='pictures of what each run was trained on (default: 3)')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError):
        runs = read_runs(args.work_dirs)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(
        run_report(runs, args.title, args.panels), encoding='utf-8')
    print(args.out)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train MIC on SADA, and what it is compared to, on the digits to detect.

Writes a Markdown table with mean and spread over the seeds, the value of each
run, and the settings; and report.html, which adds pictures of target images
with ground truth, student's and teacher's boxes. Finished runs are kept, so
that the command can be interrupted and given again, e.g. with more seeds.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from digits_table import ROOT, Benchmark, command, make_plan, parse_args, run_benchmark

BENCHMARK = Benchmark(
    name='digits_detection',
    task='det',
    value='AP50 on the target test split (%)',
    methods={
        'source-only': 'source-only',
        'self-training': 'self-training',
        'sada': 'SADA',
        'mic-sada': 'MIC (SADA)',
        'oracle': 'oracle',
    },
    columns={'tiny-faster-rcnn': 'Faster R-CNN'},
    column_option='networks',
    pattern='{method}_{column}_*mnist5k.py')
PICTURE = 'boxes.png'


def draw_boxes(run) -> Path | None:
    """The picture of a finished run; None if it has no checkpoint."""
    picture = run.folder / PICTURE
    checkpoints = sorted(run.folder.glob('iter_*.pth'))
    if run.result() is None or not checkpoints:
        return None
    if not picture.is_file():
        subprocess.run([
            sys.executable, ROOT / 'tools/misc/draw_detections.py', run.config,
            checkpoints[-1], '--out', picture, '--work-dir', run.folder
        ], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return picture


def write_report(args: argparse.Namespace) -> Path:
    """Table and pictures, those of the first seed."""
    from mic_mm.visualization import report
    folder = args.work_dir.absolute()
    runs = [run for run in make_plan(BENCHMARK, args, folder)
            if run.seed == args.seeds[0]]
    figures = [
        report.image(picture, f'{run.method}, seed {run.seed}')
        for run in runs if (picture := draw_boxes(run)) is not None
    ]
    table = (args.out or folder / 'table.md').read_text(encoding='utf-8')
    path = folder / 'report.html'
    path.write_text(
        report.page('Detection of digits', _html_table(table.splitlines()),
                    report.pictures(*figures)),
        encoding='utf-8')
    return path


def _html_table(lines: Sequence[str]) -> str:
    from mic_mm.visualization import report
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in lines if line.startswith('|')]
    return report.table(rows[0], rows[2:])


def main() -> int:
    args = parse_args(BENCHMARK, __doc__)
    code = run_benchmark(BENCHMARK, args)
    print(write_report(args))
    return code


if __name__ == '__main__':
    command(main, BENCHMARK.name)

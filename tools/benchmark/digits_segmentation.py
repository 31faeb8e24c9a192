#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train MIC on DAFormer and HRDA, and what it is compared to, on digits.

Writes a Markdown table with mean and spread over the seeds, the value of each
run, and the settings.  Finished runs are kept, so that the command can be
interrupted and given again, e.g. with more seeds.
"""
from __future__ import annotations

from digits_table import Benchmark, command, parse_args, run_benchmark

BENCHMARK = Benchmark(
    name='digits_segmentation',
    task='seg',
    value='mIoU on the target test split (%)',
    methods={
        'source-only': 'source-only',
        'self-training': 'host: ClassMix self-training',
        'mic': 'MIC on the host',
        'oracle': 'oracle',
    },
    columns={
        'tiny-daformer': 'DAFormer',
        'tiny-hrda': 'HRDA',
        'tiny-unet': 'U-Net',
    },
    column_option='networks',
    pattern='{method}_{column}_*mnist5k.py')


def main() -> int:
    return run_benchmark(BENCHMARK, parse_args(BENCHMARK, __doc__))


if __name__ == '__main__':
    command(main, BENCHMARK.name)

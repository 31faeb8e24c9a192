#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train every classification method on the digits benchmark, both ways.

Writes a Markdown table with mean and spread over the seeds, the value of each
run, and the settings.  Finished runs are kept, so that the command can be
interrupted and given again, e.g. with more seeds.
"""
from __future__ import annotations

from digits_table import Benchmark, command, parse_args, run_benchmark

BENCHMARK = Benchmark(
    name='digits_classification',
    task='cls',
    value='accuracy on the target test split (%)',
    # A host is followed by MIC on it.
    methods={
        'source-only': 'source-only',
        'self-training': 'self-training',
        'mic': 'MIC (self-training)',
        'cdan': 'CDAN',
        'mcc': 'MCC',
        'cdan-mcc': 'CDAN+MCC',
        'mic-cdan-mcc': 'MIC (CDAN+MCC)',
        'sdat': 'SDAT',
        'mic-sdat': 'MIC (SDAT)',
        'oracle': 'oracle',
    },
    columns={
        'mnist5k': 'optdigits → MNIST',
        'optdigits': 'MNIST → optdigits',
    },
    # The source is the other domain.
    column_option='targets',
    pattern='{method}_tiny-resnet_*_{column}.py')


def main() -> int:
    return run_benchmark(BENCHMARK, parse_args(BENCHMARK, __doc__))


if __name__ == '__main__':
    command(main, BENCHMARK.name)

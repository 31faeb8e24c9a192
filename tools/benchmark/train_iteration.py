#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Measure training iterations: python tools/benchmark/train_iteration.py CONFIG

Seconds of whole iterations in turn with the passes of networks that they
contain, their ratio, where the rest of the time goes, and memory. No data sets
and no pretrained weights are needed: images are random.
"""
import argparse

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.benchmark import train_iteration_tool
from mic_mm.benchmark.output import write_json
from mic_mm.utils import cli
from mic_mm.utils.told_errors import told_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Measure training iterations',
        epilog=train_iteration_tool.EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    train_iteration_tool.add_arguments(parser)
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = train_iteration_tool.measured_config(args)
    with told_errors(parser):
        result = train_iteration_tool.run(cfg, args)
    print(train_iteration_tool.as_text(result))
    if args.json:
        write_json(result, args.json)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Measure training pipelines: python tools/benchmark/data_pipeline.py CONFIG

Samples per second of the source, the target and of pairs, against decoding and
resizing the same images. Without --real no data sets are needed.
"""
import argparse

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.benchmark import data_pipeline_tool
from mic_mm.benchmark.output import write_json
from mic_mm.utils import cli


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Measure training pipelines',
        epilog=data_pipeline_tool.EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    data_pipeline_tool.add_arguments(parser)
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.read_config(args.config, args.cfg_options)
        result = data_pipeline_tool.run(cfg, args)
    print(data_pipeline_tool.as_text(result))
    if args.json:
        write_json(result, args.json)


if __name__ == '__main__':
    main()

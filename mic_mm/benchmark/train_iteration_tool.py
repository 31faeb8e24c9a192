# Copyright (c) mic_mm authors. All rights reserved.
"""What ``tools/benchmark/train_iteration.py`` asks for and shows."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger

from mic_mm.utils import cli

from .data_loading import data_loading
from .iteration_cost import measure
from .output import add_json, check_json, machine
from .workload import build_workload

EXPLANATION = '''\
What counts as a pass: for each objective the student's forward pass, its losses
as its library computes them and its backward pass; the teacher's forward pass;
forward passes of frozen networks; forward and backward passes of discriminators.
They are run on the images and labels of a recorded iteration, without anything in
between.  `ratio` is iteration / passes; `library_passes` are the same passes
without what makes mic_mm's cheaper (fused attention, inference mode).

wall: seconds by the clock, cpu: of all threads; medians.  Where other processes
run on the machine, the ratio of cpu seconds is the more reliable one.
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be measured and how."""
    parser.add_argument(
        '--device',
        default='cpu',
        help='where to train, e.g. cuda (default: cpu)')
    cli.add_size_argument(
        parser, 'of the images, to which the model is adapted (default: that '
        'of the config)')
    parser.add_argument(
        '--batch-size',
        type=cli.positive_number,
        metavar='N',
        help='images of each domain (default: that of the config)')
    parser.add_argument(
        '--iterations',
        type=cli.positive_number,
        default=10,
        metavar='N',
        help='how many are measured (default: 10)')
    parser.add_argument(
        '--amp',
        choices=('fp16', 'bf16'),
        help='train in mixed precision')
    parser.add_argument(
        '--compile',
        action='store_true',
        help='model.execution.compile: torch.compile of the student')
    parser.add_argument(
        '--channels-last',
        action='store_true',
        help="model.execution.memory_format='channels_last'")
    add_json(parser)


def measured_config(args: argparse.Namespace) -> Config:
    """The config with the switches of the command line.

    Raises:
        UsageError: If the config does not exist, or the device or the folder
            of ``--json``.
    """
    cfg = cli.read_config(args.config, args.cfg_options)
    cli.check_device(args.device)
    check_json(args.json)
    if args.amp:
        _enable_amp(cfg, args.amp)
    execution = {}
    if args.compile:
        execution['compile'] = True
    if args.channels_last:
        execution['memory_format'] = 'channels_last'
    if execution:
        cfg.merge_from_dict(dict(model=dict(execution=execution)))
    return cfg


def _enable_amp(cfg: Config, precision: str) -> None:
    dtype = dict(fp16='float16', bf16='bfloat16')[precision]
    cfg.merge_from_dict({'optim_wrapper.dtype': dtype})
    cli.enable_amp(cfg)


def run(cfg: Config, args: argparse.Namespace) -> dict[str, Any]:
    """Measure; see :func:`mic_mm.benchmark.measure`."""
    # Else the optimizer's settings of each parameter are printed.
    MMLogger.get_instance('train_iteration', log_level='WARNING')
    size = tuple(args.size) if args.size else None
    workload = build_workload(cfg, args.device, size, args.batch_size)
    about = dict(
        config=args.config,
        cfg_options=args.cfg_options or {},
        size=workload.size,
        batch_size=workload.batch_size,
        iterations=args.iterations,
        amp=args.amp,
        compile=args.compile,
        channels_last=args.channels_last,
        student_parameters=sum(
            p.numel() for p in workload.model.student.parameters()))
    return dict(
        about=about,
        machine=machine(args.device),
        data_loading=data_loading(cfg, args.iterations),
        **measure(workload, args.iterations))


def as_text(result: dict) -> str:
    """The numbers as tables for people."""
    about = result['about']
    height, width = about['size']
    lines = [
        f"{Path(about['config']).stem}: {about['batch_size']} images of "
        f"{height}x{width} per domain, {about['student_parameters']:,} "
        f"parameters, {about['iterations']} iterations",
        f"  on {result['machine']['device']}, {result['machine']['threads']} "
        f"threads, torch {result['machine']['torch']}", '',
        f'{"":34}{"wall s":>10}{"cpu s":>10}'
    ]
    for name, seconds in result['seconds'].items():
        lines.append(f'{name:34}{seconds["wall"]:10.4f}{seconds["cpu"]:10.4f}')
    lines += _ratios(result)
    lines += ['', *_table('pass', result['passes'], 'kind')]
    lines += ['', *_table('stage', result['stages'], 'stage')]
    loading = result['data_loading']
    if 'seconds' in loading:
        lines.append(f'  {"data loading, in this process":32}'
                     f'{loading["seconds"]:10.4f}')
    else:
        lines.append(f'  data loading: {loading["left_out"]}')
    return '\n'.join([*lines, '', *_footer(result)])


def _ratios(result: dict) -> list[str]:
    return [
        f'{label:34}{ratio["wall"]:10.3f}{ratio["cpu"]:10.3f}'
        f'   median of pairs {ratio["paired"]:.3f}, {ratio["paired_cpu"]:.3f}'
        for label, ratio in (
            ('ratio: iteration / passes', result['ratio']),
            ('ratio: iteration / library_passes', result['ratio_to_library']),
            ('ratio: library_passes / passes', result['gain_of_passes']))
    ]


def _table(title: str, rows: list[dict], key: str) -> list[str]:
    total = sum(row['cpu'] for row in rows)
    lines = [f'{title:34}{"wall s":>10}{"cpu s":>10}{"share":>9}']
    for row in rows:
        name = f"{row['objective'] or '-'}: {row[key]}"
        lines.append(f'  {name:32}{row["wall"]:10.4f}{row["cpu"]:10.4f}'
                     f'{row["cpu"] / total:9.1%}')
    return lines


def _footer(result: dict) -> list[str]:
    memory, ema = result['memory'], result['ema']
    mib = 2**20
    lines = [
        'saved activations: iteration '
        f"{memory['activations_of_iteration'] / mib:.1f} MiB, largest student "
        f"forward {memory['activations_of_largest_forward'] / mib:.1f} MiB"
    ]
    if 'ratio' in memory:
        lines[0] += f", ratio {memory['ratio']:.3f}"
    peak = 'cuda_peak' if 'cuda_peak' in memory else 'resident_peak'
    lines.append(f'{peak}: {memory[peak] / mib:.0f} MiB')
    if ema:
        lines.append(
            f"EMA of {ema['parameters']:,} parameters: {ema['update']:.5f} s, "
            f"{ema['ratio']:.2f} x a copy of them")
    return lines

# Copyright (c) mic_mm authors. All rights reserved.
"""What ``tools/benchmark/data_pipeline.py`` asks for and shows."""
from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.utils import cli

from .data_pipeline import check_paired, measure_pipelines
from .generated_data import generated
from .output import add_json, check_json, machine

EXPLANATION = '''\
The floor decodes the image, and in segmentation the label map of the source,
and resizes them to the size of the config's first resizing (of a random one the
middle), with OpenCV or, where the config has it do so, Pillow.  Both take turns,
in one process on one thread; numbers are medians.  Where other processes run on
the machine, the ratio of cpu seconds is the more reliable one.
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be measured."""
    parser.add_argument(
        '--samples',
        type=int,
        default=30,
        help='how many images of each domain and pairs are measured '
        '(default: 30)')
    parser.add_argument(
        '--real',
        action='store_true',
        help='measure on the data of the config, instead of generated images: '
        'for segmentation of the size of GTA (1914x1052) and Cityscapes '
        '(2048x1024), for detection of Cityscapes, for classification '
        'photographs of 500x375')
    add_json(parser)


def run(cfg: Config, args: argparse.Namespace) -> dict[str, Any]:
    """Measure; see :func:`measure_pipelines`.

    Raises:
        UsageError: If the arguments or the config do not allow it.
    """
    if args.samples < 1:
        raise cli.UsageError(f'--samples {args.samples} is not positive.')
    check_json(args.json)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = _measure(cfg, args, Path(folder))
        except (ValueError, OSError) as error:
            raise cli.UsageError(f'{args.config}: {error}') from error
    about = dict(
        config=args.config,
        data='its own' if args.real else 'generated',
        samples=args.samples)
    return dict(about=about, machine=machine(), **result)


def _measure(cfg: Config, args: argparse.Namespace,
             folder: Path) -> dict[str, Any]:
    dataset = (cfg.get('train_dataloader') or {}).get('dataset')
    if dataset is None:
        raise ValueError('The config has no train_dataloader.dataset.')
    check_paired(dataset)
    scope = cfg.get('default_scope') or 'mmengine'
    with DefaultScope.overwrite_default_scope(scope):
        if not args.real:
            dataset = generated(dataset, folder)
        return measure_pipelines(dataset, args.samples)


def as_text(result: dict) -> str:
    """The numbers as a table for people."""
    about = result['about']
    lines = [
        f"{Path(about['config']).stem}: {about['samples']} samples, data: "
        f"{about['data']}", '',
        f'{"":8}{"pipeline s":>12}{"floor s":>10}{"per second":>12}'
        f'{"ratio":>8}{"ratio of cpu":>14}'
    ]
    for name in ('source', 'target', 'pair'):
        row = result[name]
        lines.append(f"{name:8}{row['pipeline']['wall']:12.4f}"
                     f"{row['floor']['wall']:10.4f}"
                     f"{row['samples_per_second']:12.1f}"
                     f"{row['ratio']['wall']:8.3f}{row['ratio']['cpu']:14.3f}")
    return '\n'.join(lines)

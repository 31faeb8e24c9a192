# Copyright (c) mic_mm authors. All rights reserved.
"""What demo/segment.py, detect.py and classify.py share."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import cli
from .pictures import PictureSource, PictureWriter
from .stock_inference import StockInference


def make_parser(description: str) -> argparse.ArgumentParser:
    """The parser of a demo; each adds what is its own."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('image', help='image, folder of images, or video')
    cli.add_config_arguments(parser)
    parser.add_argument(
        'checkpoint', help='checkpoint of mic_mm, or an exported one')
    parser.add_argument(
        '--out-dir',
        type=Path,
        default=Path('outputs'),
        help='where the pictures go (default: outputs)')
    cli.add_branch_argument(parser)
    parser.add_argument(
        '--device', help='e.g. cpu or cuda:0 (default: a GPU if there is one)')
    parser.add_argument(
        '--frames',
        action='store_true',
        help='write the frames of a video rather than a video')
    return parser


def main(library: str,
         parser: argparse.ArgumentParser,
         drawing: Sequence[str] = ()) -> None:
    """Predict, draw and write; mistakes of the user end it with a message.

    Args:
        library (str): ``'mmseg'``, ``'mmdet'`` or ``'mmpretrain'``.
        parser (argparse.ArgumentParser): Of :func:`make_parser`.
        drawing (Sequence[str]): Names of its arguments that go to the
            ``visualize`` of the inferencer.
    """
    args = parser.parse_args()
    options = {name: getattr(args, name) for name in drawing}
    with cli.usage_errors(parser, ValueError, OSError, ImportError):
        _run(library, args, options)


def _run(library: str, args: argparse.Namespace,
         drawing: dict[str, Any]) -> None:
    source = PictureSource(args.image)
    if source.path.is_dir() and args.out_dir.resolve() == source.path.resolve(
    ):
        raise cli.UsageError('--out-dir is the folder of the images, which '
                             'would be overwritten. Give another one.')
    cfg = cli.read_config(args.config, args.cfg_options)
    cli.check_file(args.checkpoint, 'checkpoint')
    if args.device is not None:
        cli.check_device(args.device)
    inference = StockInference(library, cfg, args.checkpoint, args.branch,
                               args.device, **drawing)
    as_video = source.is_video and not args.frames
    with PictureWriter(
            args.out_dir, f'{source.path.stem}.mp4' if as_video else None,
            source.frame_rate or 0.) as writer:
        for number, picture in enumerate(source, 1):
            sample = inference.predict(picture)
            path = writer.write(picture.name,
                                inference.draw(picture, sample))
            print(f'[{number}/{len(source)}] {picture.name}: '
                  f'{inference.summary(sample)} -> {path}')

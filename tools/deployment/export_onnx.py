#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write a trained model as an ONNX file: CONFIG CHECKPOINT --out FILE.

Config and checkpoint of a run of mic_mm, or exported ones. The file is run by
onnxruntime and compared with PyTorch, on another size and batch where they
are left open. See docs/en/user_guides/deployment.md for what goes in and
comes out.
"""
from __future__ import annotations

import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli
from mic_mm.utils.onnx_comparison import verify_onnx
from mic_mm.utils.onnx_export import DYNAMIC, EXPORTERS, export_onnx
from mic_mm.utils.plain_files import load_plain
from mic_mm.utils.tensor_models import as_tensor_model


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument(
        '--out', type=Path, required=True, help='file to write, e.g. m.onnx')
    cli.add_branch_argument(parser)
    add_graph_arguments(parser)
    add_check_arguments(parser)
    return parser


def add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the file takes and how it is written."""
    cli.add_size_argument(parser, 'of the images (default: 512 512)',
                          (512, 512))
    parser.add_argument(
        '--dynamic',
        nargs='+',
        choices=DYNAMIC,
        default=(),
        help='what may differ in use (default: nothing, one image of --size)')
    parser.add_argument(
        '--opset',
        type=cli.positive_number,
        help='version of the operators (default: 18, of torchscript 17)')
    parser.add_argument(
        '--exporter',
        choices=EXPORTERS,
        help='torchscript is faster and older (default: dynamo from '
        'PyTorch 2.6 on)')
    parser.add_argument(
        '--no-normalization',
        action='store_true',
        help='images are given normalised; default: as OpenCV reads them, BGR '
        'in [0, 255]')


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is compared with PyTorch."""
    parser.add_argument(
        '--check',
        choices=('yes', 'no'),
        default='yes',
        help='compare with onnxruntime (default: yes)')
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1e-3,
        help='largest difference in units of the largest value of an output '
        '(default: 1e-3; single precision of a deep network gives 1e-6 to '
        '1e-4)')


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError, ImportError):
        cfg = cli.read_config(args.config, args.cfg_options)
        plain = load_plain(cfg, args.checkpoint, args.branch)
        model = as_tensor_model(plain, not args.no_normalization)
        export_onnx(model, args.out, args.size, args.dynamic, args.opset,
                    args.exporter)
        if args.check == 'yes':
            for difference in verify_onnx(model, args.out, args.size,
                                          args.dynamic, args.tolerance):
                print(difference)
    print(f'{args.out}: {type(plain).__name__}, images of '
          f'{args.size[0]}x{args.size[1]}, outputs '
          f'{", ".join(model.output_names)}')


if __name__ == '__main__':
    main()

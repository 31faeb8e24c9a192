#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Write label maps for a benchmark's server: CONFIG CHECKPOINT --out DIR.

Of segmentors; predictions of any task are written by tools/test.py --out.
Reads `server_dataloader` and `server_evaluator` of the config, which the
dataset fragments of Cityscapes, ACDC and Dark Zurich define. The labels of
these images are not needed. Logs go to the folder `export` of the work
directory, whose config stays that of the training.
"""
import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli

SPLITS = ('server', 'val', 'test')


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument('--out', required=True, help='folder of the files')
    parser.add_argument(
        '--images',
        choices=SPLITS,
        default='server',
        help='which dataloader of the config (default: server)')
    parser.add_argument(
        '--ids',
        choices=('train', 'cityscapes'),
        help='indices of the classes, or ids of Cityscapes; default: that '
        'of server_evaluator in the config')
    cli.add_run_arguments(parser)
    return parser


def set_export(cfg, args: argparse.Namespace) -> None:
    """Make the test of a config an export.

    Raises:
        UsageError: If its model predicts no label maps, or there are no such
            images.
    """
    if cfg.get('default_scope') in ('mmdet', 'mmpretrain'):
        raise cli.UsageError(
            f'{args.config}: label maps are written, and its model is none of '
            'segmentation. Predictions of other tasks are written by '
            'python tools/test.py CONFIG CHECKPOINT --out FILE.pkl.')
    key = f'{args.images}_dataloader'
    if cfg.get(key) is None:
        raise cli.UsageError(
            f'--images {args.images}: the config has no {key}. Define it, or '
            'choose other images.')
    cfg.test_dataloader = cfg[key]
    metric = dict(type='mic_mm.PredictionExport')
    metric.update(cfg.get('server_evaluator') or {})
    metric['output_dir'] = args.out
    if args.ids is not None:
        metric['ids'] = args.ids
    cfg.test_evaluator = metric
    # MMEngine writes the config into the work directory.
    cfg.work_dir = str(Path(cfg.work_dir, 'export'))
    # One branch, that of model.predict_on.
    cfg.test_cfg = dict()


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.load_config(args)
        cli.check_launcher(cfg)
        cli.set_checkpoint(cfg, args.checkpoint)
        set_export(cfg, args)
    with cli.process_group(cfg):
        cli.build_runner(cfg).test()


if __name__ == '__main__':
    main()

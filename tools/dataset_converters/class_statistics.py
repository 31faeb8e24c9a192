#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Count the classes of a dataset of MMSegmentation, for rare class sampling.

It works for any BaseSegDataset: suffixes, classes, ignore_index, label map and
reduce_zero_label are those of the config. A config that holds nothing else than

    default_scope = 'mmseg'
    dataset = dict(type='BaseSegDataset', data_root=..., data_prefix=dict(
        img_path=..., seg_map_path=...), metainfo=dict(classes=(...)))

is enough. Written are sample_class_stats.json, sample_class_stats_dict.json
and samples_with_class.json, as DAFormer, HRDA and MIC have them.
"""
import argparse
import sys
from pathlib import Path

from mmengine.registry import init_default_scope

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.registry import DATASETS
from mic_mm.seg.dataset_tools.dataset_counting import count_dataset
from mic_mm.seg.dataset_tools.labelled_dataset import find_dataset
from mic_mm.utils import cli
from mic_mm.utils.parallel import default_processes

EPILOG = ('An interrupted call goes on where it was. Unreadable label maps, '
          'labels outside of the classes and images of another size than '
          'their labels are named and left out; the exit code is then 1.')


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument(
        '--dataset',
        metavar='KEY',
        help='where the dataset is in the config, e.g. source_train; default: '
        'dataset, else the source in train_dataloader.dataset')
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of the statistics; default: where rare class sampling '
        'of the config reads them, else data_root of the dataset')
    parser.add_argument(
        '--nproc',
        type=int,
        default=default_processes(),
        help='number of processes (default: %(default)s)')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, KeyError, ValueError, FileNotFoundError):
        cfg = cli.read_config(args.config, args.cfg_options)
        dataset_cfg, folder = find_dataset(cfg, args.dataset)
        init_default_scope(cfg.get('default_scope') or 'mmseg')
        dataset = DATASETS.build(dataset_cfg)
        code = count_dataset(dataset, args.out or Path(folder), args.nproc)
    sys.exit(code)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""How far apart source and target are for a trained classifier.

Prints the A-distance of the features in front of the last layer (0: the
domains cannot be told apart, 2: always) and draws them by t-SNE. No label is
used. Images go through the test pipeline of the config.
"""
import argparse
import json
from pathlib import Path

from mmengine.device import get_device
from mmengine.registry import init_default_scope

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.cls.analysis import a_distance, collect_features, draw_domains
from mic_mm.engine.run_model import build_run_model, load_run_weights
from mic_mm.utils import cli


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument(
        '--max-images',
        type=int,
        default=1000,
        help='images of each domain, randomly chosen (default: 1000)')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('domain_gap'),
        help='folder for domain_gap.png and .json (default: domain_gap)')
    parser.add_argument(
        '--no-tsne', action='store_true', help='only the A-distance')
    parser.add_argument(
        '--keep-pipelines',
        action='store_true',
        help='use the training pipelines, where the test pipeline does not '
        'fit the source (as in the digits benchmark)')
    parser.add_argument(
        '--workers', type=int, default=0, help='processes that load images')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.read_config(args.config, args.cfg_options)
        cli.check_file(args.checkpoint, 'checkpoint')
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        model = build_run_model(cfg)
        load_run_weights(model, args.checkpoint)
    model.to(get_device())
    pair = cfg.train_dataloader.dataset
    pipeline = (None if args.keep_pipelines else
                cfg.test_dataloader.dataset.pipeline)
    source, target = (
        collect_features(
            model, domain, args.max_images, pipeline,
            num_workers=args.workers) for domain in (pair.source, pair.target))
    distance = a_distance(source, target)
    args.out.mkdir(parents=True, exist_ok=True)
    result = dict(
        a_distance=distance,
        source_images=len(source),
        target_images=len(target),
        config=args.config,
        checkpoint=args.checkpoint)
    (args.out / 'domain_gap.json').write_text(json.dumps(result, indent=1))
    print(f'\nA-distance: {distance:.3f} ({len(source)} source and '
          f'{len(target)} target images)')
    if not args.no_tsne:
        path = args.out / 'domain_gap.png'
        draw_domains(source, target, f'A-distance {distance:.2f}', path)
        print(path)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Draw boxes of student, teacher and ground truth: CONFIG CHECKPOINT --out PNG.

The first images of the test dataloader, one in a row. A model without teacher
has one column of boxes.
"""
from __future__ import annotations

import argparse
import copy
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from PIL import Image

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.core import UDAModel
from mic_mm.engine.loops.student_teacher_loops import BRANCHES, predicting_on
from mic_mm.utils import cli
from mic_mm.visualization import PanelStyle, draw_detections


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_config_arguments(parser)
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument(
        '--out', type=Path, required=True, help='file of the picture')
    parser.add_argument(
        '--images', type=int, default=6, help='how many (default: 6)')
    parser.add_argument(
        '--score',
        type=float,
        default=0.5,
        help='boxes below are left out (default: 0.5)')
    parser.add_argument(
        '--tile-size',
        type=int,
        default=256,
        help='about the longer side of an image in pixels (default: 256)')
    cli.add_run_arguments(parser)
    return parser


@torch.no_grad()
def predict(model: torch.nn.Module, batch: dict) -> dict:
    """Predictions of a batch by the name of the network."""
    if not isinstance(model, UDAModel):
        return {'detector': model.test_step(batch)}
    found = {}
    for branch in BRANCHES:
        if branch == 'student' or model.teacher is not None:
            with predicting_on(model, branch):
                found[branch] = model.test_step(copy.deepcopy(batch))
    return found


def draw(runner, images: int, score: float, tile_size: int) -> np.ndarray:
    """The picture."""
    model = runner.model.eval()
    dataset = runner.test_loop.dataloader.dataset
    images = min(images, len(dataset))
    batches = [pseudo_collate([dataset[i]]) for i in range(images)]
    found = [predict(model, batch) for batch in batches]
    truth = [batch['data_samples'][0] for batch in batches]
    classes = dataset.metainfo.get('classes') or ()
    palette = dataset.metainfo.get('palette')
    style = PanelStyle(
        classes,
        None if isinstance(palette, str) else palette,
        tile_size=tile_size)
    return draw_detections(
        [_read(sample.img_path) for sample in truth], truth,
        {name: [f[name][0] for f in found]
         for name in found[0]}, score, style)


def _read(path: str) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser):
        cfg = cli.load_config(args)
        cli.set_checkpoint(cfg, args.checkpoint)
    runner = cli.build_runner(cfg)
    runner.load_or_resume()
    picture = draw(runner, args.images, args.score, args.tile_size)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(args.out)
    print(args.out)


if __name__ == '__main__':
    main()

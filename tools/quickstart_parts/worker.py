# Copyright (c) mic_mm authors. All rights reserved.
"""One run in a process of its own: train, evaluate, write the result."""
from __future__ import annotations

import argparse
import json
import os
import time
from numbers import Real
from pathlib import Path

from mmengine.hooks import Hook

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm
from mic_mm.utils import cli

# How often the state is written, in seconds: the terminal shows no more.
_INTERVAL = 0.5


class ProgressHook(Hook):
    """Writes to a file how far the run is."""

    priority = 'LOWEST'

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0.

    def before_train(self, runner) -> None:
        self._write('train', runner.iter, runner.max_iters)

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if time.time() - self.written > _INTERVAL:
            self._write('train', runner.iter + 1, runner.max_iters)

    def after_test_iter(self, runner, batch_idx, *args, **kwargs) -> None:
        if time.time() - self.written > _INTERVAL:
            self._write('test', batch_idx + 1, len(runner.test_dataloader))

    def before_test(self, runner) -> None:
        self._write('test', 0, len(runner.test_dataloader))

    def _write(self, phase: str, done: int, total: int) -> None:
        self.written = time.time()
        write_json(self.path, dict(phase=phase, done=done, total=total))


def write_json(path: Path, content: dict) -> None:
    """Write a file that readers never see half-written."""
    partial = path.with_name(f'.{path.name}.partial')
    partial.write_text(json.dumps(content, indent=1))
    os.replace(partial, path)


def load_config(config: str, work_dir: Path, seed: int, options: dict):
    """The config of the run."""
    cfg = cli.read_config(config, options)
    cfg.work_dir = str(work_dir)
    cfg.launcher = 'none'
    cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    return cfg


def numbers_in(metrics: dict) -> dict:
    """The metrics that are a number of any type, e.g. ``np.float32``."""
    return {
        key: float(value)
        for key, value in metrics.items() if isinstance(value, Real)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    cli.add_config_arguments(parser)
    parser.add_argument('work_dir', type=Path)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--fingerprint', required=True)
    parser.add_argument('--metric', required=True)
    args = parser.parse_args()
    started = time.time()
    cfg = load_config(args.config, args.work_dir, args.seed, args.cfg_options)
    runner = cli.build_runner(cfg)
    runner.register_hook(ProgressHook(args.work_dir / 'progress.json'))
    runner.train()
    # MMDetection reports nothing for a detector without a single box.
    metrics = numbers_in(runner.test()) or {args.metric: 0.}
    if args.metric not in metrics:
        raise ValueError(f'test_evaluator of {args.config} has to report '
                         f'{args.metric!r}, but reports {list(metrics)}.')
    write_json(
        args.work_dir / 'result.json',
        dict(
            fingerprint=args.fingerprint,
            metrics=metrics,
            seconds=round(time.time() - started, 1),
            version=mic_mm.__version__))


if __name__ == '__main__':
    main()

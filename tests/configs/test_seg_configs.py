# Copyright (c) mic_mm authors. All rights reserved.
"""Every config of the street scenes trains, on small data with small networks."""
import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from mic_mm.testing.small_street_scenes import shrink_config, write_street_scenes

CONFIGS = Path(__file__).parents[2] / 'configs' / 'seg'
PATHS = sorted(p for p in CONFIGS.glob('*/*.py') if p.parent.name != 'digits')


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_street_scenes(root)
    return root


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    """MMEngine formats the config four times, which takes most of the time."""
    monkeypatch.setattr(Config, 'pretty_text', '')


def small_config(path, scenes, work_dir, **options):
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options)
    cfg = Config(shrink_config(cfg.to_dict(), scenes))
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.logger.interval = 1
    cfg.env_cfg.cudnn_benchmark = False
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f'{work_dir.parent.name}_{work_dir.name}'
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_config_trains_two_iterations_and_is_evaluated(path, scenes, tmp_path):
    runner = train(small_config(path, scenes, tmp_path))
    assert runner.iter == 2

# Copyright (c) mic_mm authors. All rights reserved.
"""The pictures of training reach the backends of the visualizer."""
import io

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mic_mm.testing.uda_configs import uda_config


def train(tmp_path, *backends):
    cfg = uda_config('cls', tmp_path / 'data', iterations=1)
    cfg.update(
        work_dir=str(tmp_path / 'run'),
        experiment_name=f'backends_{tmp_path.name}',
        visualizer=dict(
            type='Visualizer',
            name=f'backends_{tmp_path.name}',
            vis_backends=[dict(type='LocalVisBackend'), *backends]))
    cfg['default_hooks']['checkpoint'] = None
    runner = Runner.from_cfg(Config(cfg))
    runner.train()
    return runner


def picture_of(tmp_path):
    path, = tmp_path.glob('run/*/vis_data/uda_panels/*.png')
    assert path.stem == '000001'
    return np.asarray(Image.open(path))


def test_tensorboard_has_the_picture_pixel_by_pixel(tmp_path):
    train(tmp_path, dict(type='TensorboardVisBackend'))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(
        str(next(tmp_path.glob('run/*/vis_data'))),
        size_guidance=dict(images=0))
    events.Reload()
    logged, = events.Images('uda_panels')
    assert logged.step == 1
    decoded = np.asarray(
        Image.open(io.BytesIO(logged.encoded_image_string)).convert('RGB'))
    np.testing.assert_array_equal(decoded, picture_of(tmp_path))
    # Of the labellers too.
    assert 'mic.pseudo_confidence' not in events.Tags()['scalars']  # begins later
    assert 'self_training.pseudo_confidence' in events.Tags()['scalars']


@pytest.mark.slow
def test_wandb_has_the_picture_pixel_by_pixel(tmp_path, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    for name in ('WANDB_CACHE_DIR', 'WANDB_CONFIG_DIR', 'WANDB_DATA_DIR'):
        monkeypatch.setenv(name, str(tmp_path / 'wandb'))
    runner = train(
        tmp_path,
        dict(type='WandbVisBackend', init_kwargs=dict(mode='offline')))
    runner.visualizer.close()
    logged, = tmp_path.glob('run/**/offline-run-*/files/media/images/*.png')
    assert logged.name.startswith('uda_panels')
    np.testing.assert_array_equal(
        np.asarray(Image.open(logged).convert('RGB')), picture_of(tmp_path))

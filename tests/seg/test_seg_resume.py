# Copyright (c) mic_mm authors. All rights reserved.
"""A resumed run of the street scenes equals one that was never interrupted.

Among the state are two optimizers and their schedules (AdaptSegNet), a second
teacher, the frozen network of the feature distance, and the detail crops of
HRDA, which are drawn anew.
"""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import mic_mm  # noqa: F401
from mic_mm.testing.short_runs import shorten
from mic_mm.testing.small_street_scenes import shrink_config, write_street_scenes

CONFIGS = Path(__file__).parents[2] / 'configs' / 'seg' / 'gta2cityscapes'
TEACHER = dict(type='mic_mm.EMATeacher', alpha=0.)
RUNS = {
    'mic-advseg_dlv2-r101-d8': {},
    'mic-hrda_mit-b5': {
        'model.objectives.mic.teacher': TEACHER
    },
}


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_street_scenes(root)
    return root


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    monkeypatch.setattr(Config, 'pretty_text', '')


def run(name, scenes, work_dir, iterations, resume=False):
    """Train up to an iteration; gives the checkpoint."""
    path, = CONFIGS.glob(f'{name}_1xb2-40k_*.py')
    small = shrink_config(Config.fromfile(path).to_dict(), scenes)
    cfg = shorten(Config(small, filename=str(path)), work_dir, iterations, options=RUNS[name])
    # An untrained teacher is unsure of everything.
    cfg.merge_from_dict({'model.labeller': dict(type='mic_mm.PixelLabeller', threshold=0.)})
    cfg.train_cfg.val_interval = 100
    cfg.default_hooks.checkpoint.save_last = True
    cfg.resume = resume
    cfg.experiment_name = f'{scenes.name}_{work_dir.name}_{iterations}'
    Runner.from_cfg(cfg).train()
    return torch.load(work_dir / f'iter_{iterations}.pth', weights_only=False)


def leaves(part, place=''):
    """All values of nested containers by place."""
    if isinstance(part, (dict, list, tuple)):
        items = part.items() if isinstance(part, dict) else enumerate(part)
        return {k: v for key, value in items for k, v in leaves(value, f'{place}.{key}').items()}
    return {place: part}


@pytest.mark.parametrize('name', RUNS)
def test_a_resumed_run_equals_an_uninterrupted_one(name, scenes, tmp_path):
    whole = run(name, scenes, tmp_path / f'{name}_whole', 2)
    parts = tmp_path / f'{name}_parts'
    started = run(name, scenes, parts, 1)
    resumed = run(name, scenes, parts, 2, resume=True)
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        expected, ours = leaves(whole[key]), leaves(resumed[key])
        assert ours.keys() == expected.keys()
        different = [
            place for place, value in expected.items() if not (
                torch.equal(ours[place], value) if torch.is_tensor(value) else
                ours[place] == value)
        ]
        assert different == []
    moved = [
        n for n, value in started['state_dict'].items()
        if not torch.equal(value, whole['state_dict'][n])
    ]
    assert any(n.startswith('student.') for n in moved)
    assert any(n.startswith('teacher.') for n in moved)

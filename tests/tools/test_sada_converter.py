# Copyright (c) mic_mm authors. All rights reserved.
"""tools/model_converters/sada_to_mmdet.py."""
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import slim_detector, weights_of

TOOL = (
    Path(__file__).resolve().parents[2] / 'tools' / 'model_converters' /
    'sada_to_mmdet.py')
pytestmark = pytest.mark.golden


def run(*args):
    return subprocess.run([sys.executable, str(TOOL), *map(str, args)],
                          capture_output=True,
                          text=True)


@pytest.fixture
def files(tmp_path):
    case = load_golden('det', 'train_iterations')
    weights = weights_of(case, 'init/')
    torch.save(
        dict(
            model={f'module.{k}': v for k, v in weights.items()},
            optimizer=dict(state={}, param_groups=[dict(lr=.1)]),
            scheduler=dict(last_epoch=3),
            iteration=3), tmp_path / 'model_final.pth')
    cfg = Config(dict(default_scope='mmdet', model=slim_detector(case)))
    cfg.dump(tmp_path / 'slim.py')
    return tmp_path


def test_a_training_checkpoint_becomes_a_plain_one(files):
    out = files / 'out' / 'plain.pth'
    done = run(files / 'model_final.pth', out, '--config', files / 'slim.py')
    assert done.returncode == 0, done.stderr
    content = torch.load(out, weights_only=True)
    assert 'roi_head.bbox_head.fc_cls.weight' in content['state_dict']
    assert len(content['meta']['dataset_meta']['classes']) == 8
    assert 'not compared' not in done.stdout


@pytest.mark.slow
def test_a_detector_of_other_size_is_refused(files):
    cfg = Config.fromfile(files / 'slim.py')
    cfg.model.roi_head.bbox_head.fc_out_channels += 1
    cfg.dump(files / 'other.py')
    done = run(files / 'model_final.pth', files / 'x.pth', '--config',
               files / 'other.py')
    assert done.returncode == 2
    assert 'of another shape' in done.stderr
    assert not (files / 'x.pth').exists()

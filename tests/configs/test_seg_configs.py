# Copyright (c) mic_mm authors. All rights reserved.
"""Every config of the street scenes trains, on small data with small networks."""
from pathlib import Path

import pytest
from mmengine.config import Config

import mic_mm  # noqa: F401
from mic_mm.testing.short_runs import shorten, train_config
from mic_mm.testing.small_street_scenes import shrink_config, write_street_scenes

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'seg'
PATHS = sorted(p for p in CONFIGS.glob('*/*.py') if p.parent.name != 'digits')
# Objectives of a host, by the first part of the config's name.
OBJECTIVES = {
    'supervised': {'source'},
    'advseg': {'source', 'adversarial'},
    'minent': {'source', 'entropy'},
    'dacs': {'source', 'self_training'},
    'daformer': {'source', 'self_training'},
    'hrda': {'source', 'self_training'},
}
OWN_LOSSES = {
    'advseg': {'adversarial.loss_student',
               'adversarial.loss_discriminator_source',
               'adversarial.loss_discriminator_target'},
    'minent': {'entropy.loss_entropy'},
    'daformer': {'source.loss_feature_distance'},
    'hrda': {'source.loss_feature_distance'},
}


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_street_scenes(root)
    return root


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    """MMEngine formats the config four times, which takes most of the time."""
    monkeypatch.setattr(Config, 'pretty_text', '')


def train(cfg, scenes, work_dir):
    """Train two iterations and evaluate; gives what was logged."""
    small = Config(shrink_config(cfg.to_dict(), scenes), filename=cfg.filename)
    if 'teacher' in small.model:  # untrained, it is unsure of everything
        small.model.labeller = dict(
            small.model.get('labeller', dict(type='mic_mm.PixelLabeller')),
            threshold=0.)
    small.experiment_name = f'{work_dir.parent.name}_{work_dir.name}'
    return train_config(shorten(small, work_dir))


def expected_losses(name):
    method = name.split('_')[0]
    segmentor = {'decode.loss_ce'}
    if 'hrda' in name:
        segmentor.add('decode.hr.loss_ce')
    if method in ('source-only', 'oracle'):
        return segmentor
    host = method.removeprefix('mic-').split('-')[0]
    terms = OBJECTIVES[host] - {'adversarial', 'entropy'}
    if method.startswith('mic-'):
        terms = terms | {'mic'}
    return {f'{term}.{loss}' for term in terms
            for loss in segmentor} | OWN_LOSSES.get(host, set())


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_every_config_trains_and_evaluates(path, scenes, tmp_path):
    logged = train(Config.fromfile(path), scenes, tmp_path)
    losses = {key for key in logged if 'loss' in key.split('.')[-1]}
    assert losses - {'loss'} == expected_losses(path.stem)
    assert all(logged[key] > 0 for key in losses if 'decode.' in key)
    scores = {'mIoU'}
    if 'synthia' in path.stem:
        scores |= {'mIoU16', 'mIoU13'}
    assert scores <= logged.keys()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The configs lie where an installation puts them."""
    mim = tmp_path / 'site-packages' / 'mic_mm' / '.mim'
    mim.mkdir(parents=True)
    for name in ('configs', 'model-index.yml'):
        (mim / name).symlink_to(ROOT / name)
    monkeypatch.setattr('mmengine.config.config.is_installed', lambda _: True)
    monkeypatch.setattr('mmengine.config.config.get_installed_path',
                        lambda _: str(mim.parent))


def inherit(name, tmp_path, text=''):
    """A config elsewhere that inherits one of the package."""
    own = tmp_path / 'own.py'
    own.write_text(f"_base_ = 'mic_mm::seg/gta2cityscapes/{name}_1xb2-40k_"
                   f"gta-512x512_cityscapes-512x512.py'\n{text}")
    return Config.fromfile(own)


def test_a_config_of_ones_own_inherits_from_the_package(
        installed, scenes, tmp_path):
    cfg = inherit('mic-daformer_mit-b5', tmp_path,
                  'model = dict(objectives=dict(mic=dict(mask=dict(ratio=0.5))))')
    assert cfg.model.objectives.mic.mask.ratio == 0.5
    assert cfg.model.objectives.mic.mask.block_size == 32
    logged = train(cfg, scenes, tmp_path / 'run')
    assert {'mic.decode.loss_ce', 'source.loss_feature_distance',
            'mIoU'} <= logged.keys()


def test_plain_training_can_be_inherited_too(installed, scenes, tmp_path):
    cfg = inherit('source-only_dlv2-r101-d8', tmp_path)
    logged = train(cfg, scenes, tmp_path / 'run')
    assert {'decode.loss_ce', 'mIoU'} <= logged.keys()

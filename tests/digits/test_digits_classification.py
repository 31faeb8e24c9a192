# Copyright (c) mic_mm authors. All rights reserved.
"""All classification methods on the digits benchmark, in both directions."""
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

pytest.importorskip('mmpretrain')

import mic_mm  # noqa: E402, F401
from mic_mm.testing.short_runs import shorten, train_config  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'cls' / 'digits'
METHODS = {
    'source-only': {'source.loss'},
    'oracle': {'source.loss'},
    'self-training': {'source.loss', 'self_training.loss'},
    'mic': {'source.loss', 'self_training.loss', 'mic.loss'},
    'cdan': {'joint.source.loss', 'joint.cdan.loss'},
    'mcc': {'joint.source.loss', 'joint.mcc.loss'},
    'cdan-mcc': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss'},
    'sdat': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss'},
    'mic-cdan-mcc': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss',
                     'mic.loss'},
    'mic-sdat': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss',
                 'mic.loss'},
}
TARGETS = ('mnist5k', 'optdigits')


def read_config(method, target):
    path, = FOLDER.glob(f'{method}_*_{target}.py')
    return Config.fromfile(path)


@pytest.fixture
def at_root(root, monkeypatch):
    monkeypatch.chdir(root.parents[1])


@pytest.mark.parametrize(
    'method, target',
    [*((name, 'mnist5k') for name in METHODS), ('mic-sdat', 'optdigits')])
def test_every_config_trains_with_its_objectives(
        at_root, tmp_path, method, target):
    cfg = shorten(read_config(method, target), tmp_path)
    cfg.val_dataloader.dataset.indices = 20
    for objective in filter(None, cfg.model.objectives.values()):
        objective.begin = 0
    logged = train_config(cfg)
    assert {n for n in logged if n.endswith('.loss')} == METHODS[method]
    assert ('ascent_norm' in logged) == ('sdat' in method)


@pytest.mark.parametrize('method', METHODS)
def test_directions_differ_in_their_data_only(method):
    configs = [read_config(method, target).to_dict() for target in TARGETS]
    for cfg in configs:
        for name in ('train', 'val', 'test'):
            cfg[f'{name}_dataloader'].pop('dataset')
    assert configs[0] == configs[1]


def test_every_config_is_a_method_in_a_direction():
    assert len(list(FOLDER.glob('*.py'))) == len(METHODS) * len(TARGETS)


def built(cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return DATASETS.build(cfg)


def test_the_reverse_direction_exchanges_the_domains(at_root):
    cfg = read_config('mic-sdat', 'optdigits')
    pair = built(cfg.train_dataloader.dataset)
    assert (len(pair.source), len(pair.target)) == (3000, 1078)
    assert pair.source.get_data_info(0)['img_path'].count('mnist5k/train')
    assert 'gt_label' in pair.source.get_data_info(0)
    assert 'gt_label' not in pair.target.get_data_info(0)
    oracle = read_config('oracle', 'optdigits').train_dataloader.dataset
    assert len(built(oracle.source)) == 1078
    lengths = [len(built(cfg[f'{name}_dataloader'].dataset))
               for name in ('val', 'test')]
    assert lengths == [180, 539]


def test_splits_of_optdigits_as_a_target_share_no_scan(root):
    folder = root / 'cls' / 'optdigits_target'
    scans = {split: {p.read_bytes() for p in (folder / split).rglob('*.png')}
             for split in ('train', 'val', 'test')}
    assert len(set.union(*scans.values())) == 1797
    assert sum(map(len, scans.values())) == 1797


def test_labels_of_optdigits_as_a_target_are_the_scans_own(digits, root):
    folder = root / 'cls' / 'optdigits_target'
    known = {p.read_bytes(): p.parent.name
             for p in (root / 'cls' / 'optdigits').rglob('*.png')}
    lines = (folder / 'train_labels.txt').read_text().splitlines()
    assert len(lines) == 1078
    for line in lines:
        name, label = line.split()
        assert known[(folder / 'train' / name).read_bytes()] == label

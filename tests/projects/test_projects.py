# Copyright (c) mic_mm authors. All rights reserved.
"""The worked examples train as their READMEs say."""
import json
import math
import re
import runpy
import sys
from pathlib import Path

import pytest

from mic_mm.testing.few_digits import write_few_digits

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = {
    'own_segmentor': ('seg', 'mmseg', {'mic.decode.loss_ce'}),
    'stock_detector': ('det', 'mmdet', {'source.loss_centerness'}),
    'own_objective': ('cls', 'mmpretrain', {'information.loss_information',
                                            'mic.loss'}),
}
# Adaptation begins at once, and nothing is validated.
SHORT = [
    'train_cfg.max_iters=2', 'train_cfg.val_interval=10',
    'train_dataloader.batch_size=2', 'default_hooks.logger.interval=1',
    'default_hooks.checkpoint.save_last=False', 'val_cfg=None',
    'val_dataloader=None', 'val_evaluator=None'
]


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    return write_few_digits(ROOT / 'tools' / 'dataset_converters',
                            tmp_path_factory.mktemp('projects'),
                            ('cls', 'seg', 'det'))


def commands(project):
    """The training commands of a README."""
    text = (ROOT / 'projects' / project / 'README.md').read_text()
    return re.findall(r'^(?:PYTHONPATH=\S+ )?python tools/train\.py (\S+)$',
                      text, re.M)


def begins(project):
    names = ['mic', 'self_training']
    if project == 'own_objective':
        names.append('information')
    return [f'model.objectives.{name}.begin=0' for name in names]


@pytest.mark.parametrize('project', PROJECTS)
def test_the_command_of_the_readme_trains(project, folder, tmp_path,
                                          monkeypatch):
    _, library, losses = PROJECTS[project]
    pytest.importorskip(library)
    [config] = commands(project)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr(sys, 'argv', [
        'train.py',
        str(ROOT / config), '--work-dir',
        str(tmp_path), '--cfg-options', *SHORT, *begins(project)
    ])
    runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
    [scalars] = tmp_path.rglob('scalars.json')
    logged = json.loads(scalars.read_text().splitlines()[-1])
    assert logged['step'] == 2
    assert losses <= set(logged)
    assert math.isfinite(logged['loss']) and logged['loss'] > 0


def test_every_project_is_tested_and_listed():
    folders = {
        path.parent.name
        for path in (ROOT / 'projects').glob('*/README.md')
    }
    assert folders == set(PROJECTS)
    text = (ROOT / 'projects' / 'README.md').read_text()
    assert all(f'({name}/README.md)' in text for name in folders)


def test_coordinates_are_those_of_the_pixels():
    torch = pytest.importorskip('torch')
    pytest.importorskip('mmseg')
    sys.path.insert(0, str(ROOT))
    try:
        from projects.own_segmentor.coordinate_segmentor import with_coordinates
    finally:
        sys.path.remove(str(ROOT))
    images = torch.rand(2, 3, 3, 5)
    result = with_coordinates(images)
    assert result[:, :3].equal(images)
    assert result[1, 3, :, 0].tolist() == [-1, 0, 1]
    assert result[0, 4, 2].tolist() == [-1, -0.5, 0, 0.5, 1]


def test_information_is_least_for_sure_and_balanced_predictions():
    torch = pytest.importorskip('torch')
    pytest.importorskip('mmpretrain')
    sys.path.insert(0, str(ROOT))
    try:
        from projects.own_objective.information_maximization import InformationMaximization
    finally:
        sys.path.remove(str(ROOT))
    from types import SimpleNamespace as Object
    batch = Object(target=Object(inputs=None))

    def loss(logits):
        return InformationMaximization().loss(
            batch, lambda *_, **__: torch.tensor(logits),
            None)['loss_information'].item()

    assert loss([[50., 0.], [0., 50.]]) == pytest.approx(-0.6931472)
    assert loss([[50., 0.], [50., 0.]]) == pytest.approx(0, abs=1e-6)
    assert loss([[0., 0.], [0., 0.]]) == pytest.approx(0, abs=1e-6)

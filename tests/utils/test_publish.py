# Copyright (c) mic_mm authors. All rights reserved.
import hashlib
import sys

import numpy as np
import pytest
import torch

from mic_mm.utils.publish import publish

WEIGHTS = {
    'student.a': torch.arange(3.),
    'teacher.model.a': torch.arange(3.) + 1,
    'teacher.steps': torch.tensor(4),
    'own_teachers.mic.model.a': torch.ones(3),
    'objectives.da.classifier.weight': torch.ones(1),
}


class Log:
    """An object such as MMEngine's message hub holds."""


@pytest.fixture
def run(tmp_path):
    path = tmp_path / 'iter_4.pth'
    torch.save(
        dict(
            state_dict=WEIGHTS,
            optimizer=dict(state={0: torch.ones(1000)}),
            message_hub=dict(log=Log()),
            param_schedulers=[dict(last_step=3)],
            meta=dict(
                iter=4,
                epoch=0,
                seed=0,
                cfg="data_root = '/home/somebody/data'",
                experiment_name='run',
                hook=Log(),
                mmengine_version='0.10.12',
                dataset_meta=dict(
                    classes=('road', 'sky'),
                    palette=[[1, 2, 3], [4, 5, 6]],
                    weights=np.ones(2),
                    ann_file='/home/somebody/data/train.json',
                    root='C:\\data',
                    note='see file:/mnt/x'))), path)
    return path


def test_the_student_remains(run, tmp_path):
    published = publish(run, tmp_path / 'out' / 'mic.pth')
    digits = hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    assert published == tmp_path / 'out' / f'mic-{digits}.pth'
    assert list(published.parent.iterdir()) == [published]
    content = torch.load(published, weights_only=True)
    assert set(content) == {'state_dict', 'meta'}
    assert list(content['state_dict']) == ['student.a']
    assert torch.equal(content['state_dict']['student.a'], torch.arange(3.))
    assert content['meta'] == dict(
        iter=4,
        epoch=0,
        seed=0,
        mmengine_version='0.10.12',
        dataset_meta=dict(
            classes=['road', 'sky'], palette=[[1, 2, 3], [4, 5, 6]]))
    assert b'somebody' not in published.read_bytes()


def test_the_same_checkpoint_gives_the_same_name(run, tmp_path):
    one = publish(run, tmp_path / 'a' / 'mic.pth')
    two = publish(run, tmp_path / 'b' / 'mic.pth')
    assert one.name == two.name


def test_parts_are_kept_on_demand(run, tmp_path):
    published = publish(run, tmp_path / 'mic.pth',
                        ['teacher', 'own_teachers'])
    weights = torch.load(published, weights_only=True)['state_dict']
    assert set(weights) == set(WEIGHTS) - {'objectives.da.classifier.weight'}


def test_a_plain_checkpoint_loses_no_weight(tmp_path):
    weights = {'backbone.a': torch.ones(1), 'objectives.b': torch.ones(1)}
    torch.save(dict(state_dict=weights, optimizer={}), tmp_path / 'in.pth')
    published = publish(tmp_path / 'in.pth', tmp_path / 'out.pth')
    content = torch.load(published, weights_only=True)
    assert set(content['state_dict']) == set(weights)


def test_what_is_not_there_cannot_be_kept(run, tmp_path):
    torch.save(dict(state_dict={'student.a': torch.ones(1)}), run)
    with pytest.raises(ValueError, match=r"has no \['teacher'\] to keep"):
        publish(run, tmp_path / 'mic.pth', ['teacher'])
    with pytest.raises(FileNotFoundError, match='no.pth'):
        publish(tmp_path / 'no.pth', tmp_path / 'mic.pth')
    assert {path.name for path in tmp_path.iterdir()} == {'iter_4.pth'}


def test_the_tool_prints_the_name(run, tmp_path, monkeypatch, capsys):
    import importlib.util
    from pathlib import Path
    tool = Path(__file__).resolve().parents[2] / 'tools/misc/publish_model.py'
    spec = importlib.util.spec_from_file_location('publish_model', tool)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, 'argv', ['', str(run), str(tmp_path / 'm.pth')])
    module.main()
    assert f'{tmp_path}/m-' in capsys.readouterr().out
    monkeypatch.setattr(sys, 'argv', ['', 'no.pth', str(tmp_path / 'm.pth')])
    with pytest.raises(SystemExit):
        module.main()
    assert 'no.pth does not exist' in capsys.readouterr().err

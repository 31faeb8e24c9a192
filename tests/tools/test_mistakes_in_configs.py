# Copyright (c) mic_mm authors. All rights reserved.
"""What a run refuses is told in a line; other errors keep their traceback."""
import sys

import pytest

MASK = 'model.objectives.mic.mask'


@pytest.mark.parametrize('option, message', [
    ('train_dataloader.dataset.source.data_root=gone/',
     'The source dataset has no gone/'),
    (f'{MASK}.ratio=7', 'ratio=7'),
    (f'{MASK}.type=mic_mm.BlokMask', 'mic_mm.BlokMask is not in the'),
    (f'{MASK}.blocksize=32', "unexpected keyword argument 'blocksize'"),
    # It reaches a base class of ours.
    ('model.objectives.mic.wait=3', "unexpected keyword argument 'wait'"),
])
def test_a_mistake_is_told_and_its_traceback_is_in_the_log(
        option, message, config, run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_tool('train.py', config, '--cfg-options', option)
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert message in told.split('train.py: error: ')[1].splitlines()[0]
    assert 'Traceback' not in told
    log, = (tmp_path / 'work_dirs').glob('*/*/*.log')
    assert f'(traceback: {log})' in told
    written = log.read_text()
    assert 'Traceback (most recent call last)' in written and message in written


def test_a_part_without_a_config_keeps_its_traceback(config, run_tool):
    with pytest.raises(TypeError, match='NoneType'):
        run_tool('train.py', config, '--cfg-options', 'model.classifier=None')


MODULE = '''
from mmengine.registry import MODELS
from mic_mm.core import Objective


@MODELS.register_module(force=True)
class Faulty(Objective):
    needs_target = True

    def loss(self, batch, student, teacher):
        raise ValueError('a mistake in code of a user')
'''


def test_an_error_in_code_of_a_user_keeps_its_traceback(
        config, run_tool, tmp_path, monkeypatch):
    (tmp_path / 'faulty_objective.py').write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    config.write_text(config.read_text() +
                      "\ncustom_imports = dict(imports=['faulty_objective'])")
    with pytest.raises(ValueError, match='a mistake in code of a user'):
        run_tool('train.py', config, '--cfg-options',
                 'model.objectives.mine.type=Faulty')
    sys.modules.pop('faulty_objective')


def test_a_mistake_is_told_by_processes_that_load_data(
        config, run_tool, tmp_path, capsys):
    for path in (tmp_path / 'data' / 'target').iterdir():
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SystemExit):
        run_tool('train.py', config, '--cfg-options',
                 'train_dataloader.num_workers=1')
    told = capsys.readouterr().err
    assert 'Traceback' not in told and 'Caught' not in told
    assert 'target' in told.split('train.py: error: ')[1].splitlines()[0]


@pytest.mark.parametrize('while_formatting', [False, True])
def test_an_interrupted_run_says_how_to_go_on(
        config, run_tool, monkeypatch, capsys, while_formatting):

    def stop(hook, runner):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if while_formatting:  # As MMEngine's Config does.
                raise SyntaxError('Failed to format the config') from None
            raise

    monkeypatch.setattr('mic_mm.engine.hooks.EMATeacherHook.before_train', stop)
    with pytest.raises(SystemExit) as stopped:
        run_tool('train.py', config)
    assert stopped.value.code == 130
    told = capsys.readouterr().err
    assert told.endswith('train.py: interrupted; --resume goes on from the '
                         'latest checkpoint\n')

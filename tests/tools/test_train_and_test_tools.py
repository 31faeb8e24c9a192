# Copyright (c) mic_mm authors. All rights reserved.
import pickle

import pytest
import torch
from mmengine.config import Config


def weights(path):
    return torch.load(path, weights_only=False)['state_dict']


def files(folder):
    return sorted(p.name for p in folder.rglob('*') if p.is_file())


def test_train_writes_to_the_folder_named_like_the_config(
        config, run_tool, tmp_path):
    run_tool('train.py', config)
    assert (tmp_path / 'work_dirs' / config.stem / 'iter_2.pth').is_file()


def test_option_switches_mic_off(config, run_tool, tmp_path):
    run_tool('train.py', config, '--work-dir', tmp_path / 'run',
             '--cfg-options', 'model.objectives.mic=None',
             'train_cfg.max_iters=1')
    cfg = Config.fromfile(tmp_path / 'run' / config.name)
    assert cfg.model.objectives.mic is None
    log = next((tmp_path / 'run').glob('*/*.log')).read_text()
    assert 'mic.loss' not in log
    assert (tmp_path / 'run' / 'iter_1.pth').is_file()


def test_resume_auto_continues_to_the_weights_of_the_whole_run(
        config, run_tool, tmp_path):
    run_tool('train.py', config, '--work-dir', tmp_path / 'whole')
    parts = tmp_path / 'parts'
    run_tool('train.py', config, '--work-dir', parts, '--cfg-options',
             'train_cfg.max_iters=1')
    run_tool('train.py', config, '--work-dir', parts, '--resume')
    whole = weights(tmp_path / 'whole' / 'iter_2.pth')
    resumed = weights(parts / 'iter_2.pth')
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_resume_from_a_path_continues_from_it(config, run_tool, tmp_path):
    run_tool('train.py', config, '--work-dir', tmp_path / 'whole')
    run_tool('train.py', config, '--work-dir', tmp_path / 'rest', '--resume',
             tmp_path / 'whole' / 'iter_1.pth')
    assert not (tmp_path / 'rest' / 'iter_1.pth').exists()
    whole, rest = (
        weights(tmp_path / name / 'iter_2.pth') for name in ('whole', 'rest'))
    assert all(torch.equal(whole[name], rest[name]) for name in whole)


def test_test_evaluates_saves_and_draws(config, run_tool, tmp_path):
    run_tool('train.py', config, '--work-dir', tmp_path / 'run')
    out = tmp_path / 'predictions.pkl'
    run_tool('test.py', config, tmp_path / 'run' / 'iter_2.pth', '--work-dir',
             tmp_path / 'eval', '--out', out, '--show-dir', tmp_path / 'shown')
    predictions = pickle.loads(out.read_bytes())
    assert len(predictions) == 8
    hits = [int(p['pred_label'] == p['gt_label']) for p in predictions]
    log = next((tmp_path / 'eval').glob('*/*.log')).read_text()
    assert f'accuracy/top1: {100 * sum(hits) / 8:.4f}' in log
    assert len(list((tmp_path / 'shown').glob('*.png'))) == 4  # same names


def wrong_files(folder):
    contents = dict(
        TEXT=('notes.md', 'Notes, and no config.'),
        WITHOUT_BASE=('base.py', "_base_ = 'gone.py'"),
        UNFINISHED=('half.py', 'model = dict('),
        OWN_MODULE=('own.py', "custom_imports = dict(imports=['my_own.head'])"),
        WITHOUT_MODEL=('part.py', 'lr = 1'))
    for name, text in contents.values():
        (folder / name).write_text(text)
    return {key: folder / name for key, (name, _) in contents.items()}


@pytest.mark.parametrize('arguments, message', [
    (('train.py', 'gone.py'), "'gone.py' does not exist"),
    (('train.py', 'CONFIG', '--resume', 'gone.pth'), "'gone.pth'"),
    (('train.py', 'CONFIG', '--amp'), '--amp needs a GPU'),
    (('train.py', 'CONFIG', '--cfg-options', 'optim_wrapper.type=AmpOptimWrapper'),
     "optim_wrapper.type='AmpOptimWrapper' needs a GPU"),
    (('train.py', 'CONFIG', '--cfg-options', 'lr'), "'lr' is no key=value"),
    (('train.py', 'CONFIG', '--cfg-options', 'model.objectives.mix=None'),
     "objectives.mix=None: the config has no such objective, but ['mic', 'source']."),
    (('train.py', 'CONFIG', '--cfg-options', 'default_hooks.emateacher=None'),
     'emateacher=None: the config has no such hook, but ['),
    (('train.py', 'CONFIG', '--launcher', 'slurm'), 'slurm needs a GPU'),
    (('test.py', 'gone.py', 'gone.pth'), "'gone.py' does not exist"),
    (('test.py', 'CONFIG', 'gone.pth'), "'gone.pth' does not exist"),
    (('test.py', 'CONFIG', 'CONFIG', '--out', 'a.json'), "'a.json'"),
    (('train.py', 'TEXT'), "notes.md' cannot be read (OSError: Only py"),
    (('train.py', 'WITHOUT_BASE'), "base.py' cannot be read (FileNotFoundError: "),
    (('train.py', 'UNFINISHED'), "half.py' cannot be read (SyntaxError: '(' was"),
    (('train.py', 'OWN_MODULE'), 'my_own.head). Modules of '
     'custom_imports have to be installed, or their folder be on PYTHONPATH'),
    (('train.py', 'WITHOUT_MODEL'), "part.py' has no model"),
    (('test.py', 'CONFIG', 'TEXT'), 'damaged: its content is no saved weights'),
    (('misc/print_config.py', 'gone.py'), "'gone.py' does not exist"),
    (('misc/print_config.py', 'CONFIG', '--save-path', 'a.txt'), "'a.txt'"),
])
def test_mistakes_are_told_before_anything_is_written(
        config, run_tool, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr('mic_mm.utils.cli.machine.has_accelerator', lambda: False)
    given = dict(CONFIG=config, **wrong_files(tmp_path))
    arguments = [given.get(a, a) for a in arguments]
    before = files(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run_tool(*arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert files(tmp_path) == before


def test_latest_checkpoint_that_was_removed_is_told(
        config, run_tool, tmp_path, capsys):
    work_dir = tmp_path / 'run'
    work_dir.mkdir()
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_7.pth'))
    with pytest.raises(SystemExit):
        run_tool('train.py', config, '--work-dir', work_dir, '--resume', 'auto')
    assert 'iter_7.pth' in capsys.readouterr().err


def damaged(path):
    torch.save(dict(state_dict=dict(a=torch.zeros(999))), path)
    path.write_bytes(path.read_bytes()[:2000])
    return 'is no checkpoint of PyTorch, or is damaged'


def weights_alone(path):
    torch.save(dict(meta={}, state_dict=dict(a=torch.zeros(1))), path)
    return 'cannot be resumed: it has no message_hub, optimizer'


def of_another_model(path):
    parts = dict.fromkeys(('meta', 'message_hub', 'optimizer'), {})
    torch.save(dict(parts, state_dict=dict(a=torch.zeros(1))), path)
    return 'does not fit the model'


ARGUMENTS = dict(
    resume=('train.py', 'CONFIG', '--resume', 'FILE'),
    auto=('train.py', 'CONFIG', '--resume', 'auto', '--work-dir', 'RUN'),
    load_from=('train.py', 'CONFIG', '--cfg-options', 'load_from=FILE'),
    test=('test.py', 'CONFIG', 'FILE'))


@pytest.mark.parametrize('how', ARGUMENTS)
@pytest.mark.parametrize('write', [damaged, weights_alone, of_another_model])
def test_unusable_checkpoints_are_refused_by_name(
        how, write, config, run_tool, tmp_path, capsys):
    run = tmp_path / 'run'
    run.mkdir()
    file = run / 'iter_1.pth'
    reason = write(file)
    if write is weights_alone and how in ('load_from', 'test'):
        reason = 'does not fit the model'
    (run / 'last_checkpoint').write_text(str(file))
    before = files(tmp_path)
    arguments = [
        str(config) if a == 'CONFIG' else
        a.replace('FILE', str(file)).replace('RUN', str(run))
        for a in ARGUMENTS[how]
    ]
    with pytest.raises(SystemExit) as stopped:
        run_tool(*arguments)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert str(file) in message and reason in message
    if reason != 'does not fit the model':
        assert files(tmp_path) == before


@pytest.mark.parametrize('option', [
    'model_wrapper_cfg.type=MMFullyShardedDataParallel',
    'strategy.type=DeepSpeedStrategy', 'runner_type=FlexibleRunner'
])
def test_sharded_training_is_refused_with_what_is_supported(
        option, config, run_tool, tmp_path, capsys):
    before = files(tmp_path)
    with pytest.raises(SystemExit):
        run_tool('train.py', config, '--cfg-options', option)
    message = capsys.readouterr().err
    place, kind = option.split('=')
    assert f"{place}='{kind}' does not train UDA models" in message
    assert 'mic_mm.UDADistributedDataParallel' in message
    assert files(tmp_path) == before


def test_print_config_resolves_options_and_saves(
        config, run_tool, tmp_path, capsys):
    saved = tmp_path / 'new' / 'saved.py'
    run_tool('misc/print_config.py', config, '--save-path', saved,
             '--cfg-options', 'model.objectives.mic.mask.ratio=0.25')
    assert 'ratio=0.25' in capsys.readouterr().out
    assert Config.fromfile(
        saved).model.objectives.mic.mask.ratio == 0.25

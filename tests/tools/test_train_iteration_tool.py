# Copyright (c) mic_mm authors. All rights reserved.
"""The benchmark of training iterations, run as a command."""
import json

import pytest

pytest.importorskip('mmpretrain')

TOOL = 'benchmark/train_iteration.py'


def test_numbers_are_shown_and_written(config, run_tool, tmp_path, capsys):
    out = tmp_path / 'numbers.json'
    run_tool(TOOL, config, '--size', '16', '16', '--iterations', '2', '--json', out)
    result = json.loads(out.read_text())
    seconds = result['seconds']
    assert result['ratio']['wall'] == pytest.approx(
        seconds['iteration']['wall'] / seconds['passes']['wall'])
    assert [(row['objective'], row['kind']) for row in result['passes']] == [
        ('source', 'student'), ('mic', 'teacher'), ('mic', 'student')]
    stages = {row['stage'] for row in result['stages']}
    assert {'preprocessing', 'teacher forward', 'backward', 'EMA', 'optimizer'} <= stages
    assert result['memory']['ratio'] <= 1.05
    assert result['ema']['parameters'] == result['about']['student_parameters']
    assert result['about']['size'] == [16, 16]
    assert result['data_loading']['seconds'] > 0
    assert f'{result["ratio"]["wall"]:.3f}' in capsys.readouterr().out


def test_data_that_do_not_exist_are_left_out(config, run_tool, tmp_path, capsys):
    run_tool(TOOL, config, '--size', '16', '16', '--iterations', '1', '--batch-size', '2',
             '--cfg-options', 'train_dataloader.dataset.target.data_root=/nowhere')
    assert 'data loading: not measured' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, message', [
    (['--size', '64'], 'expected 2 arguments'),
    ([], 'does not say how large its training images are'),
    (['--iterations', '0'], 'no positive number'),
    (['--device', 'abacus'], 'unknown to PyTorch'),
    (['--json', '/no/such/folder/x.json'], 'no such folder'),
    (['--json', '/'], 'this is a folder'),
])
def test_mistakes_are_told_without_a_traceback(config, run_tool, capsys, arguments, message):
    with pytest.raises(SystemExit) as left:
        run_tool(TOOL, config, *arguments)
    assert left.value.code == 2
    assert message in capsys.readouterr().err


def test_switches_reach_the_config(config, run_tool, monkeypatch):
    from mic_mm.benchmark import train_iteration_tool
    seen = []

    def run(cfg, args):
        seen.append(cfg.model.execution.to_dict())
        raise SystemExit(0)

    monkeypatch.setattr(train_iteration_tool, 'run', run)
    with pytest.raises(SystemExit):
        run_tool(TOOL, config, '--compile', '--channels-last')
    assert seen == [dict(compile=True, memory_format='channels_last')]

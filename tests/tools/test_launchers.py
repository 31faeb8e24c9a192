# Copyright (c) mic_mm authors. All rights reserved.
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def launch(script, *arguments, **environment):
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ('PORT', 'NNODES', 'LOCAL_RANK', 'RANK', 'WORLD_SIZE')
    }
    return subprocess.run(
        ['bash', str(ROOT / 'tools' / script), *map(str, arguments)],
        env={**env, 'PYTHON': sys.executable, **environment},
        capture_output=True,
        text=True)


@pytest.fixture
def recorder(tmp_path):
    """An executable that prints its arguments instead of working."""
    path = tmp_path / 'bin' / 'python'
    path.parent.mkdir()
    path.write_text('#!/bin/bash\n[ "$1" = -c ] && { echo 4321; exit; }\n'
                    'printf "%s\\n" "$0" "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def test_two_processes_without_a_gpu_train_as_one_does(config, run_tool, tmp_path):
    done = launch('dist_train.sh', config, 2, '--work-dir', tmp_path / 'two',
                  CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1')
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'GPU number: 2' in done.stderr + done.stdout
    run_tool('train.py', config, '--work-dir', tmp_path / 'one',
             '--cfg-options', 'train_dataloader.batch_size=4')
    two, one = (
        torch.load(tmp_path / name / 'iter_2.pth', weights_only=True)['state_dict']
        for name in ('two', 'one'))
    assert 'teacher.model.head.fc.weight' in one
    for name, value in one.items():
        deviation = (two[name] - value).abs().max()
        assert deviation <= 1e-5 * value.abs().max(), name


def test_distributed_test_passes_its_arguments_on(recorder):
    done = launch('dist_test.sh', 'a.py', 'b.pth', 3, '--out', 'x.pkl',
                  PYTHON=str(recorder), NNODES='2', NODE_RANK='1',
                  MASTER_ADDR='10.0.0.1', PORT='1234')
    assert done.stdout.split()[1:] == [
        '-m', 'torch.distributed.run', '--nnodes=2', '--node_rank=1',
        '--master_addr=10.0.0.1', '--master_port=1234', '--nproc_per_node=3',
        str(ROOT / 'tools/test.py'), 'a.py', 'b.pth', '--out', 'x.pkl',
        '--launcher', 'pytorch'
    ]


def test_port_is_a_free_one_unless_nodes_have_to_agree(recorder):
    one = launch('dist_train.sh', 'a.py', 1, PYTHON=str(recorder))
    two = launch(
        'dist_train.sh', 'a.py', 1, PYTHON=str(recorder), NNODES='2')
    assert '--master_port=4321' in one.stdout
    assert '--master_port=29500' in two.stdout


@pytest.mark.parametrize('script, arguments', [
    ('slurm_train.sh', ['tools/train.py', 'a.py', '--work-dir=w']),
    ('slurm_test.sh', ['tools/test.py', 'a.py', 'w']),
])
def test_slurm_job(recorder, script, arguments):
    srun = recorder.with_name('srun')
    recorder.rename(srun)
    done = launch(
        script,
        *('part', 'job', 'a.py', 'w', '--amp'),
        PATH=f'{srun.parent}:{os.environ["PATH"]}',
        GPUS='16',
        SRUN_ARGS='-x node1')
    called = done.stdout.split()
    assert called[1:4] == ['-p', 'part', '--job-name=job']
    assert {'--ntasks=16', '--gres=gpu:8', '--cpus-per-task=5'} < set(called)
    tail = [str(ROOT / arguments[0]), *arguments[1:]]
    assert called[-len(tail) - 7:] == [
        '-x', 'node1', sys.executable, '-u', *tail, '--amp', '--launcher',
        'slurm'
    ]


@pytest.mark.parametrize('script, usage', [
    ('dist_train.sh', 'CONFIG PROCESSES'),
    ('dist_test.sh', 'CONFIG CHECKPOINT PROCESSES'),
    ('slurm_train.sh', 'PARTITION JOB_NAME CONFIG WORK_DIR'),
    ('slurm_test.sh', 'PARTITION JOB_NAME CONFIG CHECKPOINT'),
])
def test_missing_arguments_show_the_usage(script, usage):
    done = launch(script, 'a.py')
    assert done.returncode == 2
    assert usage in done.stderr


def test_environment_of_the_repository_is_used_if_no_other_is_active(
        recorder, tmp_path):
    common = dict(PYTHON='', CONDA_PREFIX='')
    own = launch('dist_train.sh', 'a.py', 1, VIRTUAL_ENV='',
                 MIC_MM_VENV=str(tmp_path), **common)
    assert own.stdout.startswith(str(recorder))
    active = launch('dist_train.sh', 'a.py', 1, VIRTUAL_ENV='/some',
                    MIC_MM_VENV='/nowhere',
                    PATH=f'{recorder.parent}:{os.environ["PATH"]}', **common)
    assert active.stdout.startswith(str(recorder))


def test_missing_python_is_told():
    done = launch('dist_train.sh', 'a.py', 1, PYTHON='/no/python')
    assert done.returncode == 1
    assert "there is no '/no/python'" in done.stderr

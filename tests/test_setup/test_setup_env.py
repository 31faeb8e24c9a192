# Copyright (c) mic_mm authors. All rights reserved.
"""tools/setup_env.sh: idempotent, resumes, and says what is wrong."""
import time

import pytest

SCRIPT = 'tools/setup_env.sh'


@pytest.fixture
def mmcv_pin(sandbox):
    lines = (sandbox.root / 'requirements/stack_default.txt').read_text().splitlines()
    return next(line for line in lines if line.startswith('onedl-mmcv=='))


@pytest.fixture
def prepared(sandbox, mmcv_pin):
    """Sandbox in which all steps can succeed."""
    sandbox.fake_python()
    sandbox.cache_wheel(mmcv_pin)
    return sandbox


def test_first_call_prints_each_step_with_its_time(prepared):
    result = prepared.run(SCRIPT)
    assert result.returncode == 0, result.stdout + result.stderr
    timed = [line.split()[1] for line in result.stdout.splitlines() if '(total' in line]
    assert timed == ['venv', 'build_tools', 'torch', 'dependencies', 'mmcv', 'openmmlab',
                     'mic_mm', 'imports']


def test_installs_only_pinned_versions(prepared, mmcv_pin):
    prepared.run(SCRIPT)
    installs = [c for c in prepared.pip_calls() if ' install ' in c]
    pins = str(prepared.root / 'requirements/stack_default.txt')
    for call in installs:
        assert f'-c {pins}' in call or '--no-deps' in call
    assert any(call.endswith('mmcv.whl') for call in installs)


def test_second_call_installs_nothing_and_is_quick(prepared):
    prepared.run(SCRIPT)
    calls = prepared.pip_calls()
    begin = time.monotonic()
    result = prepared.run(SCRIPT)
    assert time.monotonic() - begin < 5
    assert result.returncode == 0
    assert 'is ready' in result.stdout
    assert prepared.pip_calls() == calls


def test_changed_requirements_are_installed(prepared):
    prepared.run(SCRIPT)
    calls = prepared.pip_calls()
    with open(prepared.root / 'requirements/tests.txt', 'a') as file:
        file.write('six\n')
    assert prepared.run(SCRIPT).returncode == 0
    assert len(prepared.pip_calls()) > len(calls)


def test_missing_mim_folder_is_made_again(prepared):
    prepared.run(SCRIPT)
    (prepared.root / 'mic_mm/.mim/tools').rmdir()
    calls = prepared.pip_calls()
    prepared.run(SCRIPT)
    assert [c.split()[-2:] for c in prepared.pip_calls()[len(calls):]] == [
        ['-e', str(prepared.root)]]


@pytest.mark.parametrize('message, remedy', [
    ('OSError: [Errno 28] No space left on device', 'free disk space'),
    ('NewConnectionError: Temporary failure in name resolution', 'cannot be reached'),
    ('ERROR: No matching distribution found for torch==2.11.0', 'no such version'),
    ('fatal error: Python.h: No such file or directory', 'install the headers of Python'),
    ('c++: fatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1'),
])
def test_failure_names_step_and_remedy(prepared, message, remedy):
    result = prepared.run(SCRIPT, FAIL_ON='torchvision', FAIL_WITH=message)
    assert result.returncode == 1
    assert 'step "torch" failed' in result.stderr
    assert remedy in result.stderr.split('remedy:')[1]
    assert message in result.stdout


def test_continues_with_the_failed_step(prepared):
    prepared.run(SCRIPT, FAIL_ON='openmmlab_deps', FAIL_WITH='error')
    calls = prepared.pip_calls()
    result = prepared.run(SCRIPT)
    assert result.returncode == 0
    repeated = prepared.pip_calls()[len(calls):]
    assert not any('torchvision' in call for call in repeated)
    assert 'openmmlab_deps' in repeated[0]


@pytest.mark.parametrize('command', ['gcc', 'g++'])
def test_missing_compiler(sandbox, path_without, command):
    result = sandbox.run(SCRIPT, PATH=path_without(command))
    assert result.returncode == 1
    assert f'step "machine" failed: {command} is not on the PATH' in result.stderr
    assert 'remedy: install a C++ compiler' in result.stderr
    assert not sandbox.venv.exists()


def test_wrong_interpreter(sandbox):
    result = sandbox.run(SCRIPT, MIC_MM_PYTHON='/nowhere/python3.11')
    assert result.returncode == 1
    assert 'MIC_MM_PYTHON=/nowhere/python3.11' in result.stderr
    assert 'remedy: install python3.12' in result.stderr


def test_environment_with_another_python(sandbox):
    python = sandbox.venv / 'bin/python'
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/bash\necho 3.9\n')
    python.chmod(0o755)
    result = sandbox.run(SCRIPT)
    assert result.returncode == 1
    assert 'has Python 3.9' in result.stderr and 'remedy:' in result.stderr


def test_unknown_stack(sandbox):
    result = sandbox.run(SCRIPT, MIC_MM_STACK='newest')
    assert result.returncode == 1
    assert 'MIC_MM_STACK=newest' in result.stderr and 'remedy: use' in result.stderr


def test_too_little_disk(sandbox, path_without, tmp_path):
    folder = path_without('df')
    fake = tmp_path / 'bin/df'
    fake.write_text('#!/bin/bash\necho header\necho /dev/x 9999999 0 3145728 99% /\n')
    fake.chmod(0o755)
    result = sandbox.run(SCRIPT, PATH=folder)
    assert result.returncode == 1
    assert 'only 3 GB free' in result.stderr and 'remedy: free' in result.stderr

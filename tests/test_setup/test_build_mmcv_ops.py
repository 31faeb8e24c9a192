# Copyright (c) mic_mm authors. All rights reserved.
"""tools/build_mmcv_ops.sh: one unit of the dispatchers, and the cache of wheels."""
import pytest

SCRIPT = 'tools/build_mmcv_ops.sh'


@pytest.fixture
def sources(tmp_path):
    """Source tree shaped like MMCV's."""
    folder = tmp_path / 'mmcv-src/mmcv/ops/csrc/pytorch'
    (folder / 'cpu').mkdir(parents=True)
    for name in ('nms.cpp', 'bbox.cpp', 'pybind.cpp', 'info.cpp', 'cpu/nms.cpp'):
        (folder / name).write_text(f'// {name}\n')
    return folder


def test_unit_includes_every_dispatcher_once(sandbox, sources):
    result = sandbox.run(SCRIPT, '--unify', str(sources.parents[3]))
    assert result.returncode == 0, result.stderr
    assert (sources / 'all_dispatchers.cpp').read_text().splitlines() == [
        '#include "bbox.inc"', '#include "nms.inc"']
    assert (sources / 'nms.inc').read_text() == '// nms.cpp\n'


def test_what_is_compiled_after_unifying(sandbox, sources):
    sandbox.run(SCRIPT, '--unify', str(sources.parents[3]))
    compiled = sorted(str(p.relative_to(sources)) for p in sources.rglob('*.cpp'))
    assert compiled == ['all_dispatchers.cpp', 'cpu/nms.cpp', 'info.cpp', 'pybind.cpp']


def test_folder_without_mmcv(sandbox, tmp_path):
    result = sandbox.run(SCRIPT, '--unify', str(tmp_path))
    assert result.returncode == 1
    assert str(tmp_path) in result.stderr and 'unpacked sdist' in result.stderr


def test_cached_wheel_is_returned_without_building(sandbox):
    wheel = sandbox.cache_wheel('onedl-mmcv==1.2.3')
    result = sandbox.run(SCRIPT, 'onedl-mmcv==1.2.3', PIP_NO_INDEX='1')
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(wheel)


def test_other_version_does_not_take_the_cached_wheel(sandbox):
    sandbox.cache_wheel('onedl-mmcv==1.2.3')
    result = sandbox.run(SCRIPT, 'onedl-mmcv==1.2.4', PIP_NO_INDEX='1')
    assert result.returncode != 0
    assert result.stdout == ''


@pytest.mark.parametrize('arguments, variables, message', [
    (['onedl-mmcv'], {}, 'no exact version'),
    (['onedl-mmcv==1.2.3'], {'MIC_MM_OPS': 'tpu'}, 'MIC_MM_OPS=tpu'),
    (['onedl-mmcv==1.2.3'], {'PYTHON': '/nowhere/python'}, 'set PYTHON'),
])
def test_wrong_call(sandbox, arguments, variables, message):
    result = sandbox.run(SCRIPT, *arguments, **variables)
    assert result.returncode == 1
    assert message in result.stderr

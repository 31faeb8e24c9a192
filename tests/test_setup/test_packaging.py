# Copyright (c) mic_mm authors. All rights reserved.
"""setup.py: version, requirements, and configs and tools in every installation."""
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PARTS = ('setup.py', 'setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'model-index.yml', 'LICENSE',
         'NOTICE', 'CITATION.cff', 'requirements.txt', 'requirements')


@pytest.fixture(scope='module')
def setup_module():
    spec = importlib.util.spec_from_file_location('mic_mm_setup', ROOT / 'setup.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    """Minimal checkout: the real packaging files around a small package."""
    root = tmp_path / 'checkout'
    root.mkdir()
    for part in PARTS:
        source = ROOT / part
        shutil.copytree(source, root / part) if source.is_dir() else shutil.copy2(
            source, root / part)
    for name in ('mic_mm/__init__.py', 'mic_mm/core/__init__.py', 'configs/cls/mic.py',
                 'configs/cls/metafile.yml', 'tools/train.py', 'tools/dist_train.sh',
                 'demo/segment.py', 'projects/p/p.py', 'tests/test_x.py', 'mic_mm/py.typed',
                 'README.md'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('')
    shutil.copy2(ROOT / 'mic_mm/version.py', root / 'mic_mm/version.py')
    return root


def build(checkout: Path, hook: str) -> Path:
    """Runs a hook of setuptools' build backend and returns what it made."""
    code = f'import setuptools.build_meta as b; print("\\n" + b.{hook}("dist"))'
    result = subprocess.run([sys.executable, '-c', code], cwd=checkout, text=True,
                            capture_output=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return checkout / 'dist' / result.stdout.splitlines()[-1]


def mim_entries(names) -> set:
    return {n.split('.mim/', 1)[1] for n in names if '.mim/' in n and not n.endswith('/')}


EXPECTED = {'configs/cls/mic.py', 'configs/cls/metafile.yml', 'tools/train.py',
            'tools/dist_train.sh', 'demo/segment.py', 'model-index.yml'}
LIBRARIES = {'seg': 'onedl-mmsegmentation', 'det': 'onedl-mmdetection', 'cls': 'onedl-mmpretrain'}


def test_version_is_that_of_the_package(setup_module):
    text = (ROOT / 'mic_mm/version.py').read_text()
    assert setup_module.get_version() == re.search(r"__version__ = '([^']+)'", text).group(1)


def test_nested_requirement_files_are_resolved(setup_module):
    requirements = setup_module.parse_requirements('optional.txt')
    names = {re.split('[<>=]', r)[0] for r in requirements}
    assert {'onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation', 'onedl-mmdetection',
            'onedl-mmpretrain'} <= names
    assert len(requirements) == len(set(requirements))
    assert not any(r.startswith(('-', '#')) for r in requirements)


def test_every_requirement_of_the_default_stack_is_pinned(setup_module):
    def normal(requirement):
        return re.split('[<>=]', requirement)[0].lower().replace('_', '-')

    pins = {normal(p) for p in setup_module.parse_requirements('stack_default.txt')}
    for name in ('build.txt', 'runtime.txt', 'optional.txt', 'tests.txt', 'openmmlab_deps.txt',
                 'ci.txt'):
        assert {normal(r) for r in setup_module.parse_requirements(name)} <= pins, name
    pins = {normal(p) for p in setup_module.parse_requirements('stack_official.txt')}
    for name in ('build.txt', 'runtime.txt', 'tests.txt', 'openmmlab_deps.txt'):
        assert {normal(r) for r in setup_module.parse_requirements(name)} <= pins, name


def test_wheel_holds_configs_and_tools(checkout):
    with zipfile.ZipFile(build(checkout, 'build_wheel')) as wheel:
        names = wheel.namelist()
        top_level = wheel.read(next(n for n in names if n.endswith('top_level.txt')))
    assert mim_entries(names) == EXPECTED
    assert top_level.decode().split() == ['mic_mm']
    assert not any(n.startswith(('tests', 'demo', 'projects')) for n in names)
    assert 'mic_mm/py.typed' in names
    assert not (checkout / 'mic_mm/.mim').exists(), 'building leaves nothing in the sources'


def test_extras_ask_for_the_libraries_of_their_task(checkout):
    build(checkout, 'build_wheel')
    wheel = next((checkout / 'dist').glob('*.whl'))
    sys_path_item = importlib.metadata.MetadataPathFinder.find_distributions(
        importlib.metadata.DistributionFinder.Context(name='mic_mm', path=[str(wheel)]))
    distribution = next(iter(sys_path_item))
    needs = {
        extra: {
            r.name
            for r in map(Requirement, distribution.requires)
            if r.marker is not None and r.marker.evaluate({'extra': extra})
        }
        for extra in distribution.metadata.get_all('Provides-Extra')
    }
    foundation = {'onedl-mmcv', 'onedl-mmengine'}
    assert needs['mim'] == foundation
    for extra, library in LIBRARIES.items():
        assert needs[extra] == foundation | {library}
    assert needs['optional'] >= foundation | set(LIBRARIES.values())
    assert needs['all'] == needs['optional'] | needs['tests']
    assert 'pytest' in needs['tests']


def test_wheel_from_the_source_distribution_is_the_same(checkout, tmp_path):
    with tarfile.open(build(checkout, 'build_sdist')) as sdist:
        sdist.extractall(tmp_path / 'unpacked')
    unpacked = next((tmp_path / 'unpacked').iterdir())
    with zipfile.ZipFile(build(unpacked, 'build_wheel')) as wheel:
        assert mim_entries(wheel.namelist()) == EXPECTED


def test_editable_installation_links_to_the_checkout(checkout):
    with zipfile.ZipFile(build(checkout, 'build_editable')) as wheel:
        assert not mim_entries(wheel.namelist())
    mim = checkout / 'mic_mm/.mim'
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (mim / name).is_symlink()
        assert not os.path.isabs(os.readlink(mim / name))
    (checkout / 'configs/cls/new.py').write_text('')
    assert (mim / 'configs/cls/new.py').exists()


def test_wheel_after_editable_installation_holds_files(checkout):
    build(checkout, 'build_editable')
    with zipfile.ZipFile(build(checkout, 'build_wheel')) as wheel:
        assert mim_entries(wheel.namelist()) == EXPECTED
    assert (checkout / 'mic_mm/.mim/configs').is_symlink()

# Copyright (c) mic_mm authors. All rights reserved.
"""The training scripts of the libraries train configs with types of mic_mm.

``mim train mmdet my_config.py`` runs MMDetection's own ``tools/train.py``,
which imports nothing of mic_mm: its types are found by their prefix.
"""
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mic_mm.testing.few_digits import write_few_digits
from mic_mm.testing.short_runs import shorten

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {
    'mmseg': 'seg/digits/mic_tiny-unet_1xb8-1k_optdigits_mnist5k.py',
    'mmdet': 'det/digits/mic_tiny-fcos_1xb16-600_optdigits_mnist5k.py',
    'mmpretrain': 'cls/digits/mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py',
}
NOT_VALIDATED = {
    f'{stage}_{part}': None
    for stage in ('val', 'test') for part in ('cfg', 'dataloader', 'evaluator')
}
# Inheriting by `mic_mm::` before any module of mic_mm is imported.
INHERITING = f'''
_base_ = __import__('mic_mm') and 'mic_mm::{CONFIGS['mmseg']}'
train_cfg = dict(max_iters=2)
train_dataloader = dict(batch_size=2)
default_hooks = dict(logger=dict(interval=1), uda_visualization=dict(interval=10))
model = dict(objectives=dict(mic=dict(begin=0)))
''' + '\n'.join(f'{key} = None' for key in NOT_VALIDATED)
# The libraries are imported once; each script runs in a process of its own,
# in which nothing has imported mic_mm.
DRIVER = '''
import os, runpy, sys
import {libraries}
for name, config in {runs}:
    if os.fork() == 0:
        assert not any(m.split('.')[0] == 'mic_mm' for m in sys.modules)
        library = sys.modules[name.removesuffix('_inheriting')]
        script = os.path.join(library.__path__[0], '.mim/tools/train.py')
        sys.argv = [script, config, '--work-dir', name]
        runpy.run_path(script, run_name='__main__')
        sys.stdout.flush()
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f'{{name}} failed')
'''


@pytest.fixture(scope='module')
def libraries():
    for name in CONFIGS:
        pytest.importorskip(name)


@pytest.fixture(scope='module')
def project(tmp_path_factory, libraries):
    """A folder of a user: data, configs, an installed mic_mm."""
    folder = tmp_path_factory.mktemp('project')
    write_few_digits(ROOT / 'tools' / 'dataset_converters', folder,
                     ('cls', 'seg', 'det'))
    for library, name in CONFIGS.items():
        cfg = shorten(
            Config.fromfile(ROOT / 'configs' / name), 'unused', options={
                'model.objectives.mic.begin': 0, **NOT_VALIDATED
            })
        cfg.dump(folder / f'my_{library}.py')
    (folder / 'my_mmseg_inheriting.py').write_text(INHERITING)
    _install(folder / 'site' / 'mic_mm')
    return folder


def resolves_installed_modules():
    """Whether MMEngine finds configs of a package that is a mere module.

    The official one asks the installed distributions, and knows no others.
    """
    try:
        importlib.metadata.version('onedl-mmengine')
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _install(package):
    """The package as an installation has it, with ``.mim``."""
    (package / '.mim').mkdir(parents=True)
    for path in (ROOT / 'mic_mm').iterdir():
        if path.name != '.mim':
            (package / path.name).symlink_to(path)
    for name in ('configs', 'tools', 'model-index.yml'):
        (package / '.mim' / name).symlink_to(ROOT / name)


def run(command, project):
    env = {
        **os.environ, 'PYTHONPATH': str(project / 'site'),
        'OMP_NUM_THREADS': '1'
    }
    result = subprocess.run(
        command,
        cwd=project,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    assert result.returncode == 0, result.stdout[-3000:]
    return result.stdout


def logged(work_dir):
    [scalars] = work_dir.rglob('scalars.json')
    return json.loads(scalars.read_text().splitlines()[-1])


@pytest.mark.parametrize('names', [
    ['mmdet'],
    pytest.param(['mmseg', 'mmpretrain', 'mmseg_inheriting'],
                 marks=pytest.mark.slow),
],
                         ids=lambda names: names[-1])
def test_own_scripts_of_the_libraries_train(names, project):
    if not resolves_installed_modules():
        names = [name for name in names if name in CONFIGS]
    libraries = {name.removesuffix('_inheriting') for name in names}
    runs = [(name, f'my_{name}.py') for name in names]
    run([
        sys.executable, '-c',
        DRIVER.format(libraries=', '.join(sorted(libraries)), runs=runs)
    ], project)
    for name in names:
        values = logged(project / name)
        assert values['step'] == 2
        # An untrained detector finds no boxes, so there need not be a loss.
        assert any(key.startswith('mic.') for key in values), name
        assert values['loss'] > 0


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec('mim') is None, reason='OpenMIM is not installed')
@pytest.mark.parametrize('library', CONFIGS)
def test_mim_trains(library, project):
    from mim.utils import module_full_name

    # To onedl-mim, `mmdet` is short for more than one package.
    name = library if module_full_name(library) else 'mmdetection'
    out = f'mim_{library}'
    run([
        sys.executable, '-c', 'from mim.cli import cli; cli()', 'train', name,
        f'my_{library}.py', '--work-dir', out
    ], project)
    assert logged(project / out)['step'] == 2

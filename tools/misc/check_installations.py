# Copyright (c) mic_mm authors. All rights reserved.
"""Install mic_mm in every way it can be, in an environment each, and try it.

To be run before a release.  Each environment is new and gets what one
installation brings: the wheel with the extra of one task, of all, the source
distribution, the folder, an editable installation, and MIM of OpenMMLab and
of its successor.  In it the task is trained for two iterations from the
installed ``.mim``, with data on which the checkout has no influence, and a
config of each other task has to say what to install.

Only torch is not installed each time: its files are linked into the new
environment.  torch and MMCV have the versions of ``stack_default.txt``, since
MMCV is compiled for that torch; everything else is the newest release that
the requirements of mic_mm and of the libraries allow.

Needs git, gcc, the package index, the packages of ``requirements/tests.txt``
for the data, about 12 GB, and 15 to 20 minutes on an idle machine.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {
    'seg': 'seg/digits/mic_tiny-unet_1xb8-1k_optdigits_mnist5k.py',
    'det': 'det/digits/mic_tiny-fcos_1xb16-600_optdigits_mnist5k.py',
    'cls': 'cls/digits/mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py',
}
SHORT = ('train_cfg.max_iters=2', 'train_cfg.val_interval=100', 'train_dataloader.batch_size=2',
         'train_dataloader.num_workers=0')
MIM_ENTRIES = ('configs', 'tools', 'demo', 'model-index.yml')


@dataclass(frozen=True)
class Case:
    """An installation.

    Args:
        name (str): For the table and the command line.
        what (str): Argument of pip, with {wheel}, {sdist} or {source}.
        tasks (tuple[str]): What has to work.
        mim (str, optional): Distribution of MIM that installs. Defaults to
            None, pip.
        mim_trains (bool): Whether ``mim train mic_mm`` is tried. Defaults to
            True; ``tools/train.py`` is called where pip has installed.
    """
    name: str
    what: str
    tasks: tuple[str, ...]
    mim: Optional[str] = None
    mim_trains: bool = True


CASES = (
    Case('wheel-seg', 'mic_mm[seg] @ file://{wheel}', ('seg', )),
    Case('wheel-det', 'mic_mm[det] @ file://{wheel}', ('det', )),
    Case('wheel-cls', 'mic_mm[cls] @ file://{wheel}', ('cls', )),
    Case('wheel-all', 'mic_mm[all] @ file://{wheel}', ('seg', 'det', 'cls')),
    Case('sdist-cls', 'mic_mm[cls] @ file://{sdist}', ('cls', )),
    Case('folder-cls', '{source}[cls]', ('cls', )),
    Case('editable-cls', '-e {source}[cls]', ('cls', )),
    Case('openmim-cls', '{source}[cls]', ('cls', ), 'openmim'),
    # OpenMIM looks for tools in site-packages only, of which an editable package is no part.
    Case('openmim-editable-cls', '-e {source}[cls]', ('cls', ), 'openmim', mim_trains=False),
    Case('onedl-mim-editable-cls', '-e {source}[cls]', ('cls', ), 'onedl-mim'),
)


class Failure(Exception):
    """What went wrong, in a line or two."""


class Workshop:
    """Sources, distributions, data and environments in one folder.

    Args:
        folder (Path): An empty folder.
        python (str): Interpreter of the environments.
    """

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.interpreter = python
        self.source = folder / 'source'
        self.constraints = folder / 'constraints.txt'
        # Nothing of the calling environment may be imported.
        self.environment = {k: v for k, v in os.environ.items()
                            if k not in ('PYTHONPATH', 'VIRTUAL_ENV', 'PYTHONHOME')}
        self.environment.update(OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')

    def call(self, log: str, *command: str, fails: bool = False) -> str:
        """Output of a command, which must succeed, or fail if ``fails``."""
        result = subprocess.run(list(map(str, command)), cwd=self.folder, env=self.environment,
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with open(self.folder / 'logs' / f'{log}.log', 'a') as file:
            file.write(f'$ {" ".join(map(str, command))}\n{result.stdout}\n')
        if (result.returncode != 0) != fails:
            last = result.stdout.strip().splitlines()[-1:] or ['no output']
            raise Failure(f'exit code {result.returncode}: {last[0][:300]}')
        return result.stdout

    def prepare(self) -> None:
        """Everything that the environments share."""
        (self.folder / 'logs').mkdir()
        self._copy_checkout()
        self._write_constraints()
        self.call('data', sys.executable, self.source / 'tools/dataset_converters/digits.py')
        self.call('base', self.interpreter, '-m', 'venv', self.folder / 'base')
        self._pip('base', 'base', 'torch', 'torchvision')
        builder = self.new_environment('builder')
        self._pip('builder', 'builder', '-r', self.source / 'requirements/build.txt', 'build')
        self.environment['PYTHON'] = str(builder)
        wheel = self.call('builder', 'env', f'PATH={builder.parent}:{os.environ["PATH"]}', 'bash',
                          self.source / 'tools/build_mmcv_ops.sh').splitlines()[-1]
        self.mmcv = Path(wheel).parent
        self.call('builder', builder, '-m', 'build', '--outdir', self.folder / 'dist', self.source)
        self.wheel, = (self.folder / 'dist').glob('*.whl')
        self.sdist, = (self.folder / 'dist').glob('*.tar.gz')
        shutil.rmtree(self.folder / 'builder')

    def new_environment(self, name: str) -> Path:
        """The interpreter of an environment that has torch and nothing else."""
        self.call(name, self.interpreter, '-m', 'venv', self.folder / name)
        packages, = (self.folder / 'base/lib').glob('python*/site-packages')
        target = self.folder / name / packages.relative_to(self.folder / 'base')
        shutil.rmtree(target)
        shutil.copytree(packages, target, copy_function=os.link)
        return self.folder / name / 'bin/python'

    def _copy_checkout(self) -> None:
        files = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=ROOT,
                               check=True, text=True, capture_output=True).stdout
        for name in filter(None, files.split('\0')):
            if (ROOT / name).is_file():
                (self.source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.source / name)

    def _write_constraints(self) -> None:
        pins = (self.source / 'requirements/stack_default.txt').read_text()
        found = re.findall(r'(?m)^(?:torch|torchvision|onedl-mmcv)==.*$', pins)
        assert len(found) == 3, found
        self.constraints.write_text('\n'.join(found) + '\n')

    def _pip(self, log: str, environment: str, *arguments) -> None:
        self.call(log, self.folder / environment / 'bin/python', '-m', 'pip', 'install',
                  '--no-input', '-c', self.constraints, *arguments)

    def install(self, case: Case) -> None:
        """The installation of a case in an environment of its own."""
        python = self.new_environment(case.name)
        what = case.what.format(wheel=self.wheel, sdist=self.sdist, source=self.source)
        arguments = [*(['-e', what[3:]] if what.startswith('-e ') else [what]), '--find-links',
                     str(self.mmcv)]
        if case.mim is None:
            self._pip(case.name, case.name, *arguments)
            return
        self._pip(case.name, case.name, case.mim, 'setuptools<82')
        self.call(case.name, python.with_name('mim'), 'install', *arguments, '-c',
                  self.constraints)

    def check(self, case: Case) -> None:
        """Train the tasks of a case; have the others name what they need."""
        python = self.folder / case.name / 'bin/python'
        mim = Path(self.call(
            case.name, python, '-c',
            'import importlib.util as u; print(u.find_spec("mic_mm").submodule_search_locations[0])'
        ).splitlines()[-1]) / '.mim'
        expected = self.source if case.what.startswith('-e ') else self.folder / case.name
        if expected not in mim.parents:
            raise Failure(f'mic_mm is imported from {mim.parent}')
        missing = [entry for entry in MIM_ENTRIES if not (mim / entry).exists()]
        if missing:
            raise Failure(f'{mim} lacks {missing}')
        for task, config in CONFIGS.items():
            options = ['--work-dir', f'work_dirs/{case.name}-{task}', '--cfg-options', *SHORT]
            if case.mim and case.mim_trains and task in case.tasks:
                command = [python.with_name('mim'), 'train', 'mic_mm', mim / 'configs' / config,
                           '--gpus', '0']
            else:
                command = [python, mim / 'tools/train.py', mim / 'configs' / config]
            output = self.call(case.name, *command, *options, fails=task not in case.tasks)
            wanted = r'Iter\(train\).*2/2|Saving checkpoint at 2 iterations' \
                if task in case.tasks else r'[Ii]nstall (onedl-)?mm'
            if not re.search(wanted, output):
                raise Failure(f'{task}: nothing in the output matches {wanted!r}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', metavar='CASE',
                        help=f'of {", ".join(c.name for c in CASES)} (default: all)')
    parser.add_argument('--folder', type=Path,
                        help='where to work, kept afterwards (default: a temporary folder)')
    parser.add_argument('--python', default=getattr(sys, '_base_executable', sys.executable),
                        help='interpreter to make environments with (default: the one running)')
    return parser.parse_args()


def run(workshop: Workshop, cases: list[Case]) -> bool:
    """Try the cases one after the other and print a line for each."""
    workshop.prepare()
    good = True
    print(f'{"installation":22} {"seconds":>7}  result', flush=True)
    for case in cases:
        begin, result = time.monotonic(), f'ok: {", ".join(case.tasks)}'
        try:
            workshop.install(case)
            workshop.check(case)
        except Failure as failure:
            good, result = False, f'FAILED, see logs/{case.name}.log: {failure}'
        print(f'{case.name:22} {time.monotonic() - begin:7.0f}  {result}', flush=True)
        shutil.rmtree(workshop.folder / case.name, ignore_errors=True)
    return good


def main() -> None:
    args = parse_args()
    unknown = set(args.cases) - {case.name for case in CASES}
    if unknown:
        sys.exit(f'unknown: {", ".join(sorted(unknown))}; known: '
                 f'{", ".join(case.name for case in CASES)}')
    cases = [case for case in CASES if not args.cases or case.name in args.cases]
    folder = args.folder or Path(tempfile.mkdtemp(prefix='mic_mm_'))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f'{folder} is not empty')
    good = run(Workshop(folder.resolve(), args.python), cases)
    if good and args.folder is None:
        shutil.rmtree(folder)
    sys.exit(0 if good else f'see {folder}/logs')


if __name__ == '__main__':
    main()

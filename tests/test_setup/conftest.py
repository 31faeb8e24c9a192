# Copyright (c) mic_mm authors. All rights reserved.
"""A copy of the set-up scripts with a stand-in for the environment's Python."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]

# Answers questions (-c) like the real interpreter, records the calls of pip and
# fails when one of them contains the text in FAIL_ON.
FAKE_PYTHON = '''#!/bin/bash
case "$1" in
    -c) exec "{python}" "$@" ;;
    -) cat > /dev/null; exit 0 ;;
esac
echo "$*" >> "{calls}"
if [ -n "$FAIL_ON" ] && [[ "$*" == *"$FAIL_ON"* ]]; then
    echo "$FAIL_WITH" >&2
    exit 1
fi
'''


class Sandbox:
    """Set-up scripts in a folder of their own, with pip recorded instead of run.

    Args:
        folder (Path): An empty folder.
    """

    def __init__(self, folder: Path):
        self.root = folder / 'repository'
        self.venv = folder / 'venv'
        self.cache = folder / 'cache'
        self.calls = folder / 'calls'
        for name in ('tools/setup_env.sh', 'tools/build_mmcv_ops.sh', 'setup.py', 'setup.cfg'):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.root / name)
        shutil.copytree(ROOT / 'requirements', self.root / 'requirements')
        (self.root / 'mic_mm/.mim/tools').mkdir(parents=True)

    def fake_python(self) -> None:
        """Puts the stand-in where the environment's interpreter is expected."""
        python = self.venv / 'bin/python'
        python.parent.mkdir(parents=True)
        python.write_text(FAKE_PYTHON.format(python=sys.executable, calls=self.calls))
        python.chmod(0o755)

    def cache_wheel(self, requirement: str) -> Path:
        """Puts an empty wheel where the build script keeps the one it compiles."""
        key = f'{requirement.replace("==", "-")}_torch-{torch.__version__}_cp' \
              f'{sys.version_info[0]}{sys.version_info[1]}_{os.uname().machine}_cpu'
        wheel = self.cache / 'wheels' / key / 'mmcv.whl'
        wheel.parent.mkdir(parents=True)
        wheel.touch()
        return wheel

    def run(self, script: str, *arguments: str, **environment: str):
        """Runs a script of the copy and returns the finished process."""
        variables = {k: v for k, v in os.environ.items() if not k.startswith('MIC_MM_')}
        variables.update(MIC_MM_VENV=str(self.venv), MIC_MM_CACHE=str(self.cache),
                         MIC_MM_OPS='cpu', PYTHON=sys.executable)
        variables.update(environment)
        return subprocess.run(['/bin/bash', str(self.root / script), *arguments], text=True,
                              capture_output=True, timeout=120, env=variables)

    def pip_calls(self) -> list:
        """Command lines that reached the stand-in."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def sandbox(tmp_path):
    """The set-up scripts in a temporary folder, with pip recorded instead of run."""
    return Sandbox(tmp_path)


@pytest.fixture
def path_without(tmp_path):
    """Makes a PATH with the commands of this machine, except those given."""

    def make(*missing: str) -> str:
        folder = tmp_path / 'bin'
        folder.mkdir()
        for source in map(Path, os.environ['PATH'].split(os.pathsep)):
            for command in source.glob('*') if source.is_dir() else ():
                link = folder / command.name
                if command.name not in missing and not link.exists():
                    link.symlink_to(command)
        return str(folder)

    return make

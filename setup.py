# Copyright (c) mic_mm authors. All rights reserved.
"""Packaging of mic_mm; static metadata and tool settings are in ``setup.cfg``.

OpenMIM finds configs and tools of an installed package in ``mic_mm/.mim``, where the
demos are as well, as in MMDetection. A wheel
gets copies of them; an editable installation (``pip install -e .``, with or without
PEP 660) gets links, so that edits in the checkout take effect. The source
distribution holds the originals, from which the wheel is built the same way.
"""
import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

ROOT = Path(__file__).resolve().parent
PACKAGE = 'mic_mm'
MIM_ENTRIES = ('configs', 'tools', 'demo', 'model-index.yml', 'dataset-index.yml')
NOT_PACKAGED = shutil.ignore_patterns('__pycache__', '*.py[co]')


def get_version() -> str:
    """Version from ``mic_mm/version.py``, executed without importing the package."""
    scope = {}
    exec((ROOT / PACKAGE / 'version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


def parse_requirements(name: str) -> list:
    """Requirements of ``requirements/<name>``, with its ``-r`` lines resolved.

    Args:
        name (str): File name in the folder ``requirements``.

    Returns:
        list[str]: Requirement specifiers, without comments and duplicates.
    """
    found = []
    for line in (ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines():
        line = line.split('#', 1)[0].strip()
        if line.startswith('-r'):
            found.extend(parse_requirements(line[2:].strip()))
        elif line:
            found.append(line)
    return list(dict.fromkeys(found))


def mim_sources() -> list:
    """Paths in the source tree that belong to ``.mim`` and exist."""
    return [ROOT / entry for entry in MIM_ENTRIES if (ROOT / entry).exists()]


def remove(path: Path) -> None:
    """Removes a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()


def copy_mim_extension(target: Path) -> None:
    """Copies configs, tools and index files to ``target``."""
    remove(target)
    target.mkdir(parents=True)
    for source in mim_sources():
        if source.is_dir():
            shutil.copytree(source, target / source.name, ignore=NOT_PACKAGED)
        else:
            shutil.copy2(source, target / source.name)


def link_mim_extension(target: Path) -> None:
    """Links configs, tools and index files into ``target``.

    The links are relative, so that the checkout can be moved. Where links are not
    permitted (Windows without developer mode), copies take their place.
    """
    remove(target)
    target.mkdir(parents=True)
    try:
        for source in mim_sources():
            (target / source.name).symlink_to(os.path.relpath(source, target),
                                              target_is_directory=source.is_dir())
    except OSError:
        copy_mim_extension(target)


class BuildWithMim(build_py):
    """Builds the package together with its ``.mim`` folder."""

    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False):
            link_mim_extension(ROOT / PACKAGE / '.mim')
        else:
            copy_mim_extension(self.mim_folder)

    @property
    def mim_folder(self) -> Path:
        return Path(self.build_lib) / PACKAGE / '.mim'

    def get_outputs(self, include_bytecode=1):
        """Files of the build, including those of ``.mim``."""
        outputs = super().get_outputs(include_bytecode)
        if not getattr(self, 'editable_mode', False):
            outputs += [str(p) for p in self.mim_folder.rglob('*') if p.is_file()]
        return outputs


class DevelopWithMim(develop):
    """Editable installation by ``setup.py develop`` (setuptools before 80)."""

    def run(self):
        link_mim_extension(ROOT / PACKAGE / '.mim')
        super().run()


if __name__ == '__main__':
    setup(
        version=get_version(),
        packages=find_packages(include=(PACKAGE, f'{PACKAGE}.*')),
        include_package_data=True,
        package_data={PACKAGE: ['py.typed']},
        install_requires=parse_requirements('runtime.txt'),
        extras_require={
            'mim': parse_requirements('mminstall.txt'),
            'seg': parse_requirements('seg.txt'),
            'det': parse_requirements('det.txt'),
            'cls': parse_requirements('cls.txt'),
            'onnx': parse_requirements('onnx.txt'),
            'optional': parse_requirements('optional.txt'),
            'tests': parse_requirements('tests.txt'),
            'docs': parse_requirements('docs.txt'),
            'lint': parse_requirements('lint.txt'),
            'all': parse_requirements('optional.txt') + parse_requirements('tests.txt'),
        },
        cmdclass={'build_py': BuildWithMim, 'develop': DevelopWithMim},
        zip_safe=False)

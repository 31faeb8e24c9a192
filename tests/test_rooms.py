# Copyright (c) mic_mm authors. All rights reserved.
"""Which room may import what, and what happens without a library."""
import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mic_mm
from mic_mm.tasks import TASK_ROOMS

PACKAGE = Path(mic_mm.__file__).parent
LIBRARIES = {'mmseg', 'mmdet', 'mmpretrain'}
ROOMS = {'seg', 'cls', 'det'}


def imported_modules(path):
    package = ['mic_mm', *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            yield '.'.join([*base, *filter(None, [node.module])])


def violations(room, forbidden):
    return [
        f'{path.name}: {module}'
        for path in (PACKAGE / room).rglob('*.py')
        for module in imported_modules(path)
        if any(f'{module}.'.startswith(f'{name}.') for name in forbidden)
    ]


@pytest.mark.parametrize('room',
                         ['benchmark', 'core', 'engine', 'visualization', 'utils'])
def test_task_free_rooms_import_no_task(room):
    forbidden = LIBRARIES | {f'mic_mm.{task}' for task in ROOMS}
    assert list((PACKAGE / room).rglob('*.py'))
    assert violations(room, forbidden) == []


@pytest.mark.parametrize('room', sorted(ROOMS))
def test_a_task_imports_only_its_own_library(room):
    library = TASK_ROOMS[room][0]
    others = (LIBRARIES - {library}) | {f'mic_mm.{r}' for r in ROOMS - {room}}
    assert violations(room, others) == []


@pytest.mark.parametrize('room', sorted(ROOMS))
def test_placeholders_name_every_type_of_a_room(room):
    importlib.import_module(f'mic_mm.{room}')
    for registry, names in TASK_ROOMS[room][2].items():
        registered = {
            name
            for name, module in registry.module_dict.items()
            if module.__module__.startswith(f'mic_mm.{room}.')
        }
        assert registered == set(names)
    # and no registry is forgotten
    from mic_mm import registry as nodes
    covered = set(map(id, TASK_ROOMS[room][2]))
    for node in vars(nodes).values():
        if isinstance(node, nodes.Registry) and id(node) not in covered:
            assert not [
                m for m in node.module_dict.values()
                if m.__module__.startswith(f'mic_mm.{room}.')
            ]


BLOCKED = '''
import importlib.util, sys
task, *blocked = sys.argv[1:]
find_spec = importlib.util.find_spec
importlib.util.find_spec = (
    lambda name, *args: None if name in blocked else find_spec(name, *args))
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
from mic_mm.registry import MODELS
from mic_mm.testing import models
kinds = dict(seg="segmentor", cls="classifier", det="detector")
for other, kind in kinds.items():
    config = dict(type=f"mic_mm.UDA{kind.capitalize()}",
        objectives=dict(source=dict(type="mic_mm.SourceSupervision")))
    config[kind] = getattr(models, f"tiny_{kind}")()
    try:
        MODELS.build(config)
        print("built", other)
    except ImportError as error:
        print("ImportError", other, error)
'''


@pytest.mark.parametrize('room', sorted(ROOMS))
def test_a_task_works_with_its_library_alone(room):
    """And the others say what to install; in real environments: check_installations.py."""
    libraries = {task: TASK_ROOMS[task][0] for task in ROOMS}
    missing = set(libraries) - {room}
    run = subprocess.run(
        [sys.executable, '-c', BLOCKED, room, *(libraries[task] for task in sorted(missing))],
        capture_output=True, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith(('built', 'ImportError'))]
    assert len(lines) == 3, run.stderr
    assert f'built {room}' in lines
    for task in missing:
        line, = (line for line in lines if line.startswith(f'ImportError {task} '))
        assert libraries[task] in line and f'Install {TASK_ROOMS[task][1]}' in line

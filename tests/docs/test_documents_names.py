# Copyright (c) mic_mm authors. All rights reserved.
"""What the documents name is there: files, types and their options."""
import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest
from mmengine.registry import Registry

from mic_mm import registry
from mic_mm.core.uda_model import UDAModel

ROOT = Path(__file__).parents[2]
# Copies, made by the build.
COPIES = (ROOT / 'docs/en/configs', ROOT / 'docs/en/projects')
DOCUMENTS = [ROOT / 'README.md'] + sorted(
    path for folder in ('docs/en', 'configs', 'projects') for path in (ROOT / folder).rglob('*.md')
    if not any(path.is_relative_to(copy) for copy in COPIES))
FOLDERS = 'configs|tools|mic_mm|tests|requirements|docs|demo|projects'
PATH = re.compile(rf'(?<![\w./{{$-])(?:{FOLDERS})/[\w./{{}},*-]+')
TYPE = re.compile(r'(?<![\w.])mic_mm\.([A-Z]\w+)')
PYTHON = re.compile(r'^ *```python\n(.*?)^ *```', re.MULTILINE | re.DOTALL)
# Written by a run, or names that stand for any.
NOT_THERE = ('mic_mm/.mim', 'docs/_build', 'configs/my_')


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_of(text: str) -> str:
    """The parts of a document in code font."""
    blocks = [b for b in re.findall(r'```.*?```', text, re.DOTALL) if '{toctree}' not in b]
    rest = re.sub(r'```.*?```', '', text, flags=re.DOTALL)
    return '\n'.join(blocks + re.findall(r'`[^`\n]+`', rest))


def expand(pattern: str) -> list[str]:
    """The alternatives of braces, as in a shell."""
    braces = re.search(r'\{([^{}]*)\}', pattern)
    if braces is None:
        return [pattern]
    return [name for part in braces[1].split(',')
            for name in expand(pattern[:braces.start()] + part + pattern[braces.end():])]


def exists(name: str, folder: Path = ROOT) -> bool:
    """Whether there is such a file, below the repository or the document's folder."""
    name = name.rstrip('.,')
    return any(list(root.glob(name)) for root in (ROOT, folder))


def parsable(block: str) -> str:
    """Python without references to base configs and without ellipses for more options."""
    block = textwrap.dedent(block).replace('{{', '"').replace('}}', '"')
    return re.sub(r', \.\.\.(?=\))', '', block)


def find_type(name: str) -> type | None:
    nodes = [node for node in vars(registry).values() if isinstance(node, Registry)]
    return next((found for node in nodes if (found := node.get(f'mic_mm.{name}'))), None)


def accepted(cls: type) -> set[str]:
    """Names of the arguments of a class, and of those it hands ``**kwargs`` on to."""
    names = {'type', '_delete_', '_scope_'}
    for base in inspect.getmro(cls):
        if '__init__' in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            names.update(p.name for p in parameters)
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    return names


@pytest.mark.parametrize('path', DOCUMENTS, ids=identify)
def test_files_that_a_document_names_exist(path):
    named = {name for found in PATH.findall(code_of(path.read_text())) for name in expand(found)
             if not found.endswith(('_', '-')) and '...' not in found
             and not found.startswith(NOT_THERE)}
    assert [name for name in sorted(named) if not exists(name, path.parent)] == []


@pytest.mark.parametrize('path', DOCUMENTS, ids=identify)
def test_types_that_a_document_names_are_registered(path):
    names = set(TYPE.findall(path.read_text())) - {'X'}
    assert [name for name in sorted(names) if find_type(name) is None] == []


@pytest.mark.parametrize('path', DOCUMENTS, ids=identify)
def test_options_in_the_python_of_a_document_exist(path):
    unknown = []
    for block in PYTHON.findall(path.read_text()):
        tree = ast.parse(parsable(block))
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or getattr(call.func, 'id', '') != 'dict':
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            name = getattr(given.get('type'), 'value', None)
            found = TYPE.fullmatch(name) if isinstance(name, str) else None
            cls = found and find_type(found[1])
            if cls:
                unknown += [f'{name}.{key}' for key in given if key and key not in accepted(cls)]
    assert unknown == []


def test_an_option_that_does_not_exist_is_found():
    assert 'ratio' in accepted(find_type('BlockMask'))
    assert 'share' not in accepted(find_type('BlockMask'))
    assert {'segmentor', 'teacher', 'predict_on'} <= accepted(find_type('UDASegmentor'))
    assert issubclass(find_type('UDASegmentor'), UDAModel)


def test_a_file_that_does_not_exist_is_found():
    assert expand('configs/{cls,det}/digits') == ['configs/cls/digits', 'configs/det/digits']
    named = PATH.findall(code_of('See `tools/train.py CONFIG` and tools/none.py.'))
    assert named == ['tools/train.py']
    assert exists('configs/*/digits/README.md') and not exists('tools/none.py')

# Copyright (c) mic_mm authors. All rights reserved.
"""The API lists what a config can name."""
import importlib
import re
from pathlib import Path

from mmengine.registry import Registry

from mic_mm import registry

PAGES = Path(__file__).parents[2] / 'docs' / 'en' / 'api'


def documented() -> set:
    """The objects of all modules that the pages ask autodoc for."""
    text = '\n'.join(page.read_text() for page in PAGES.glob('*.md'))
    found = set()
    for name in re.findall(r'automodule:: (\S+)', text):
        module = importlib.import_module(name)
        names = getattr(module, '__all__', None)
        found.update(
            [v for v in map(vars(module).get, names) if isinstance(v, type)] if names else
            [v for v in vars(module).values() if getattr(v, '__module__', None) == name
             and isinstance(v, type)])
    return found


def test_every_registered_type_is_in_the_api():
    registry.HOOKS.import_from_location()
    own = {cls for node in vars(registry).values() if isinstance(node, Registry)
           for cls in node.module_dict.values() if cls.__module__.startswith('mic_mm.')
           and not cls.__module__.startswith('mic_mm.testing.')}
    missing = sorted(f'{cls.__module__}.{cls.__name__}' for cls in own - documented())
    assert len(own) > 60
    assert missing == []


def test_every_page_is_in_the_contents():
    contents = (PAGES / 'index.md').read_text()
    listed = set(re.search(r'```\{toctree\}(.*?)```', contents, re.DOTALL)[1].split())
    assert {page.stem for page in PAGES.glob('*.md')} - {'index'} == listed - {':hidden:'}

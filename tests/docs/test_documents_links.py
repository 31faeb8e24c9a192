# Copyright (c) mic_mm authors. All rights reserved.
"""Links between documents work where the repository is read, without the site."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Copies, made by the build of the site.
COPIES = (ROOT / 'docs/en/configs', ROOT / 'docs/en/projects')
DOCUMENTS = [ROOT / 'README.md'] + sorted(
    path for folder in ('docs/en', 'configs', 'projects', 'demo')
    for path in (ROOT / folder).rglob('*.md') if not any(path.is_relative_to(c) for c in COPIES))
LINK = re.compile(r'\[[^\[\]]*\]\(([^()\s]+)\)')
CODE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
HEADING = re.compile(r'^#+ (.*)$', re.MULTILINE)


def anchor_of(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    words = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).strip().lower()
    return re.sub(r'[^\w\- ]', '', words).replace(' ', '-')


def dead_links(path: Path) -> list[str]:
    dead = []
    for link in LINK.findall(CODE.sub('', path.read_text())):
        name, _, anchor = link.partition('#')
        if re.match(r'\w+:', link):
            continue
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            dead.append(link)
        elif anchor and anchor not in map(
                anchor_of, HEADING.findall(CODE.sub('', target.read_text()))):
            dead.append(link)
    return dead


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(path):
    assert dead_links(path) == []


def test_dead_links_are_found(tmp_path):
    (tmp_path / 'b.md').write_text('# One `two`, three: 4\n')
    page = tmp_path / 'a.md'
    page.write_text('[1](b.md#one-two-three-4) [2](b.md#none) [3](c.md) [4](https://example.org/x)\n'
                    '```\n[5](in_code.md)\n```\n![6](d.png) [7](#none)\n')
    assert dead_links(page) == ['b.md#none', 'c.md', 'd.png', '#none']

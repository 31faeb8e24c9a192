# Copyright (c) mic_mm authors. All rights reserved.
"""Pages of the site that live elsewhere in the repository.

The READMEs of ``configs`` (and ``projects``) are copied to the same place below
``docs/en`` before the build.  In all pages, links to files of the repository that are
no pages become downloads or plain text; on a code host they are links as they are.
"""
from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
COPIED = ('configs', 'projects')
# Pages that say the same as files which are none.
INSTEAD = {'README.md': 'index.md'}
_LINK = re.compile(r'(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)')
_CODE = re.compile(r'(^```.*?^```)', re.MULTILINE | re.DOTALL)


def copy_pages(app: Sphinx) -> None:
    """Bring the copies up to date."""
    pages, root = Path(app.srcdir), Path(app.srcdir).parents[1]
    for folder in COPIED:
        wanted = {path.relative_to(root) for path in (root / folder).rglob('README.md')}
        for path in wanted:
            _copy(root / path, pages / path)
        for path in (pages / folder).rglob('README.md'):
            if path.relative_to(pages) not in wanted:
                path.unlink()


def _copy(source: Path, target: Path) -> None:
    if not target.exists() or source.read_bytes() != target.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def adapt_links(app: Sphinx, docname: str, content: list[str]) -> None:
    """Rewrite the links of a page that leave the site."""
    pages, root = Path(app.srcdir), Path(app.srcdir).parents[1]
    copied = docname.split('/')[0] in COPIED
    original = (root if copied else pages) / f'{docname}.md'
    if not original.exists():
        return

    def rewrite(match: re.Match) -> str:
        return _rewritten(match, original, pages / f'{docname}.md', pages, root)

    parts = _CODE.split(content[0])
    content[0] = ''.join(part if part.startswith('```') else _LINK.sub(rewrite, part)
                         for part in parts)


def _rewritten(match: re.Match, original: Path, page: Path, pages: Path, root: Path) -> str:
    text, target = match['text'], match['target']
    path, _, anchor = target.partition('#')
    if not path or re.match(r'[a-z]+:', target):
        return match[0]
    file = (original.parent / path).resolve()
    if not file.exists():
        LOGGER.warning('%s: there is no %s', original.relative_to(root), target,
                       type='repository', subtype='missing')
        return text
    if file.is_dir() and (file / 'README.md').exists():
        file = file / 'README.md'
    if file.is_dir():
        return text
    inside = _page_of(file, pages, root)
    if inside is None:
        relative = os.path.relpath(file, page.parent)
        return f'{{download}}`{text.strip("`")} <{relative}>`'
    relative = os.path.relpath(inside, page.parent)
    return f'[{text}]({relative}{"#" + anchor if anchor else ""})'


def _page_of(file: Path, pages: Path, root: Path) -> Path | None:
    name = file.relative_to(root).as_posix()
    if name in INSTEAD:
        return pages / INSTEAD[name]
    if file.is_relative_to(pages):
        return file
    if name.split('/')[0] in COPIED and file.name == 'README.md':
        return pages / name
    return None


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect('builder-inited', copy_pages)
    app.connect('source-read', adapt_links)
    return {'parallel_read_safe': True}

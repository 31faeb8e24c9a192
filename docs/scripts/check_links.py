#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Checks that the links within a built site lead somewhere.

Usage: ``python docs/scripts/check_links.py docs/_build/html``.  Files and anchors are
checked; addresses of other sites are not, so no network is needed.
"""
from __future__ import annotations

import argparse
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """Anchors and links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors, self.links = set(), set()
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        for name, value in attrs:
            if name in ('id', 'name') and tag != 'meta':
                self.anchors.add(value)
            elif name in ('href', 'src') and value:
                self.links.add(value)


def dead_links(site: Path) -> list[str]:
    """Links of the pages of ``site`` that lead nowhere, as ``page: link``."""
    site = site.resolve()
    pages = {path: Page(path) for path in site.rglob('*.html')}
    dead = []
    for path, page in sorted(pages.items()):
        for link in sorted(page.links):
            if not _is_alive(link, path, pages):
                dead.append(f'{path.relative_to(site)}: {link}')
    return dead


def _is_alive(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target in pages and parts.fragment:
        return unquote(parts.fragment) in pages[target].anchors
    return target.exists()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('site', type=Path)
    site = parser.parse_args().site
    dead = dead_links(site)
    for line in dead:
        print(f'check_links: dead link in {line}', file=sys.stderr)
    if not dead:
        print(f'check_links: no dead link within {site}.')
    return int(bool(dead))


if __name__ == '__main__':
    sys.exit(main())

# Copyright (c) mic_mm authors. All rights reserved.
"""Pages are opened by a real browser."""
import re

import pytest
from PIL import Image

from mic_mm.testing.browser import REQUIRE, open_page, require_browser
from mic_mm.visualization import report
from mic_mm.visualization.browse import Sample, browse_page
from mic_mm.visualization.tiles import Tile


def tile(*words):
    return Tile(Image.new('RGB', (4, 4), 'red'), 'a caption', words)


def shown(dom):
    """What is not hidden: names of samples, and kinds of their tiles."""
    parts = re.findall(r'<section class="sample"([^>]*)>(.*?)</section>', dom,
                       re.DOTALL)
    return {
        re.search('<h3>(.*?)</h3>', body)[1]: [
            kind for kind, state in re.findall(
                r'<figure data-kind="([^"]*)"([^>]*)>', body)
            if 'hidden' not in state
        ]
        for state, body in parts if 'hidden' not in state
    }


@pytest.fixture
def path(tmp_path):
    samples = [
        Sample('first', {
            'source': tile('a.png', 'car', 'road'),
            'mixed label': tile('b.png', 'sky'),
        }),
        Sample('second', {'source': tile('c.png', 'traffic <light>')}),
    ]
    path = tmp_path / 'page.html'
    path.write_text(
        browse_page('Title', samples, [('car', (1, 2, 3))], ['note'],
                    ['warning']))
    return path


@pytest.mark.parametrize('fragment, expected, count', [
    ('', {'first': ['source', 'mixed label'], 'second': ['source']}, '2 of 2'),
    ('text=CAR+a.png', {'first': ['source', 'mixed label']}, '1 of 2'),
    ('text=%3Clight%3E&hide=mixed+label', {'second': ['source']}, '1 of 2'),
    ('hide=source', {'first': ['mixed label'], 'second': []}, '2 of 2'),
])
def test_the_address_filters_samples_and_kinds(path, fragment, expected,
                                               count):
    page = open_page(path, fragment)
    assert page.console == []
    assert shown(page.dom) == expected
    assert f'>{count}</output>' in page.dom


def test_injected_markup_does_not_run_and_nothing_is_loaded(tmp_path):
    evil = '"><img src=x onerror=console.error(1)><script>console.error(2)'
    path = tmp_path / 'evil.html'
    path.write_text(
        browse_page(evil, [Sample(evil, {evil: tile(evil, evil)})],
                    [(evil, (0, 0, 0))], [evil], [evil]))
    page = open_page(path, 'text=onerror')
    assert page.console == []
    assert '<img src="x"' not in page.dom and list(shown(page.dom).values())


def test_errors_and_requests_would_be_noticed(tmp_path):
    path = tmp_path / 'wrong.html'
    path.write_text(
        report.page('t', '<img src="https://example.com/a.png">',
                    '<script>1</script>', script='undefined_function()'))
    console = '\n'.join(open_page(path).console)
    assert 'https://example.com/a.png' in console
    assert 'inline script' in console
    assert 'undefined_function' in console


def test_a_missing_browser_skips_or_fails(monkeypatch):
    monkeypatch.setenv('PATH', '')
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception):
        require_browser()
    monkeypatch.setenv(REQUIRE, '1')
    with pytest.raises(pytest.fail.Exception):
        require_browser()


@pytest.mark.parametrize('files, shown_files, folder', [
    (['/d/a/1.png', '/d/b/2.png'], ['a/1.png: car', 'b/2.png: car'], '/d'),
    (['a/1.png', '/d/b/2.png'], ['a/1.png: car', '/d/b/2.png: car'], None),
    (['1.png', '2.png'], ['1.png: car', '2.png: car'], None),
    (['/1.png', '/d/2.png'], ['1.png: car', 'd/2.png: car'], None),
])
def test_files_are_named_below_their_common_folder(files, shown_files, folder):
    samples = [Sample('only', {name: tile(name, 'car') for name in files})]
    page = browse_page('Title', samples, [])
    assert re.findall('<p class="note words">(.*?)</p>', page) == shown_files
    assert (f'Files are below {folder}/<' in page) == (folder is not None)
    # The filter finds the whole path.
    assert all(name in page for name in files)

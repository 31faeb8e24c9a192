# Copyright (c) mic_mm authors. All rights reserved.
"""The site can be built, and its links lead somewhere."""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def check_links():
    spec = importlib.util.spec_from_file_location(
        'check_links', ROOT / 'docs' / 'scripts' / 'check_links.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dead_links_are_found(check_links, tmp_path):
    (tmp_path / 'b').mkdir()
    (tmp_path / 'a.html').write_text(
        '<a href="b/c.html#here">1</a> <a href="b/c.html#there">2</a> <a href="d.html">3</a>'
        '<img src="e.png"> <a href="https://example.org/none">4</a> <p id="top">'
        '<a href="#top">5</a>')
    (tmp_path / 'b' / 'c.html').write_text('<h1 id="here">c</h1> <a href="../a.html">6</a>')
    assert check_links.dead_links(tmp_path) == [
        'a.html: b/c.html#there', 'a.html: d.html', 'a.html: e.png']


def test_figure_of_the_iteration_is_that_of_its_script(tmp_path):
    spec = importlib.util.spec_from_file_location(
        'iteration_figure', ROOT / 'docs' / 'scripts' / 'iteration_figure.py')
    figure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figure)
    # The pictures inside depend on the compression of the installed PNG library.
    strip = lambda svg: [part.partition('"')[2] for part in svg.split('base64,')]  # noqa: E731
    drawn = figure.figure(figure.Image.open(figure.STATIC / 'panels.png').convert('RGB'))
    assert strip((figure.STATIC / 'iteration.svg').read_text()) == strip(drawn)


@pytest.mark.slow
def test_site_is_built_without_a_warning():
    pytest.importorskip('sphinx')
    pytest.importorskip('myst_parser')
    pytest.importorskip('furo')
    done = subprocess.run(['bash', str(ROOT / 'docs' / 'build.sh'), '-q'], capture_output=True,
                          text=True, env=dict(os.environ, PYTHON=sys.executable))
    assert done.returncode == 0, done.stderr
    page = (ROOT / 'docs' / '_build' / 'html' / 'user_guides' / 'switches.html').read_text()
    assert 'block_size' in page

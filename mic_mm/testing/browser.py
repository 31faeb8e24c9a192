# Copyright (c) mic_mm authors. All rights reserved.
"""Opens pages in a real browser, without a window."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome',
            'google-chrome-stable')
# Set where a browser has to be there, e.g. in CI.
REQUIRE = 'MIC_MM_REQUIRE_BROWSER'


@dataclass(frozen=True)
class OpenedPage:
    """What became of a page.

    Attributes:
        dom (str): The document after its script has run, as HTML.
        console (list[str]): What the browser had to say about it: errors,
            refused addresses, output of the script.
    """

    dom: str
    console: list[str]


def require_browser() -> str:
    """Path of a browser; skips the test where there is none."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            return path
    if os.environ.get(REQUIRE) == '1':
        pytest.fail(f'{REQUIRE}=1, but none of {BROWSERS} is on the PATH.')
    pytest.skip(f'none of {BROWSERS} is on the PATH')


def open_page(path: Path, fragment: str = '') -> OpenedPage:
    """Open a file and wait until its script has run.

    Args:
        path (Path): The page.
        fragment (str): What follows ``#`` in the address. Defaults to ''.
    """
    address = Path(path).absolute().as_uri() + (fragment and f'#{fragment}')
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                require_browser(), '--headless', '--no-sandbox',
                '--disable-gpu', f'--user-data-dir={profile}',
                '--enable-logging=stderr', '--virtual-time-budget=2000',
                '--dump-dom', address
            ],
            capture_output=True,
            text=True,
            timeout=120)
    if done.returncode != 0 or '<html' not in done.stdout:
        raise RuntimeError(f'The browser failed: {done.stderr[-2000:]}')
    console = re.findall(r'CONSOLE[^\]]*\] (.*)', done.stderr)
    return OpenedPage(done.stdout, console)

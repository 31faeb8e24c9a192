# Copyright (c) mic_mm authors. All rights reserved.
"""Configs where an installation of the package has them."""
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def inherit(tmp_path, monkeypatch):
    """A config elsewhere that inherits one of the package by ``mic_mm::``."""
    mim = tmp_path / 'site-packages' / 'mic_mm' / '.mim'
    mim.mkdir(parents=True)
    for name in ('configs', 'model-index.yml'):
        (mim / name).symlink_to(ROOT / name)
    monkeypatch.setattr('mmengine.config.config.is_installed', lambda _: True)
    monkeypatch.setattr('mmengine.config.config.get_installed_path',
                        lambda _: str(mim.parent))
    # MMEngine formats a config four times per run, which takes most of it.
    monkeypatch.setattr(Config, 'pretty_text', '')

    def read(name, text=''):
        own = tmp_path / 'own.py'
        own.write_text(f"_base_ = 'mic_mm::{name}'\n{text}")
        return Config.fromfile(own)

    return read

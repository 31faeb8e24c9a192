# Copyright (c) mic_mm authors. All rights reserved.
"""The digits benchmark, with all scans and a few canvases."""
import importlib
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FEW = {
    'optdigits': dict(train=6, val=3),
    'mnist5k': dict(train=6, val=3, test=4),
}
TASKS = ('cls', 'seg', 'det')
SCOPES = dict(cls='mmpretrain', seg='mmseg', det='mmdet')


def _import_converter():
    folder = str(ROOT / 'tools' / 'dataset_converters')
    sys.path.insert(0, folder)
    try:
        return importlib.import_module('digits_data')
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope='session')
def digits():
    """The converter's package."""
    return _import_converter()


@pytest.fixture(scope='session')
def few_canvases(digits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits.writers, 'CANVASES', FEW)
        yield FEW


@pytest.fixture(scope='session')
def root(digits, tmp_path_factory, few_canvases):
    """The benchmark: a folder ``data/digits`` in a folder of its own."""
    out = tmp_path_factory.mktemp('benchmark') / 'data' / 'digits'
    for task in TASKS:
        assert digits.build_task(task, out)
    return out


@pytest.fixture
def own(root, tmp_path):
    """A copy of ``root`` to damage, as the current folder's data."""
    shutil.copytree(root, tmp_path / 'data' / 'digits')
    return tmp_path / 'data' / 'digits'

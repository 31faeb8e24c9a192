# Copyright (c) mic_mm authors. All rights reserved.
"""mic_mm.utils.compat: what is installed besides each other."""
import warnings

import pytest

from mic_mm.utils import compat


def install(folder, monkeypatch, *names):
    """Make distributions of these names importable, without modules."""
    for name in names:
        info = folder / f'{name.replace("-", "_")}-9.9.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n')
    monkeypatch.syspath_prepend(str(folder))


def test_one_kind_of_distribution_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        compat.check_versions()


def test_both_kinds_at_once_are_named_with_the_repair(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, 'mmcv', 'onedl-mmcv')
    with pytest.warns(UserWarning, match='mmcv and onedl-mmcv are both.*pip uninstall mmcv onedl'):
        compat.check_versions()


def test_too_old_a_version_is_refused(monkeypatch):
    monkeypatch.setitem(compat.SUPPORTED_VERSIONS, 'mmcv', ('99.0.0', '100.0.0'))
    with pytest.raises(ImportError, match=r'needs mmcv>=99.0.0,<100.0.0.*mim install'):
        compat.check_versions()

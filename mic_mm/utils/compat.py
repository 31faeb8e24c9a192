# Copyright (c) mic_mm authors. All rights reserved.
"""What mic_mm needs from the installed OpenMMLab distribution."""
from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings

# Lower bounds: first releases with the registry `locations` and the
# `_scope_` injection this package relies on.  The upper bounds are the next
# major versions: tighter ones lock users out of working combinations.
SUPPORTED_VERSIONS = {
    'mmengine': ('0.10.0', '1.0.0'),
    'mmcv': ('2.0.0', '3.0.0'),
}

# Distributions that provide the same modules: official and maintained.
_ALTERNATIVES = (
    ('mmengine', 'onedl-mmengine'),
    ('mmcv', 'onedl-mmcv'),
    ('mmsegmentation', 'onedl-mmsegmentation'),
    ('mmdet', 'onedl-mmdetection'),
    ('mmpretrain', 'onedl-mmpretrain'),
)


def check_versions() -> None:
    """Refuse versions of MMEngine and MMCV that are known not to work.

    Modules are gated rather than distributions, since the official and the
    maintained ``onedl-*`` distributions provide the same modules.

    Raises:
        ImportError: If a module is missing or its version lies outside of
            ``SUPPORTED_VERSIONS``.
    """
    for module, (minimum, excluded_maximum) in SUPPORTED_VERSIONS.items():
        _check_version(module, minimum, excluded_maximum)
    for names in _ALTERNATIVES:
        if all(map(_is_distribution, names)):
            warnings.warn(
                f'{" and ".join(names)} are both installed. They write the '
                'same files, of which those of the one installed last are '
                'left. The extras of mic_mm ask for onedl-*; with the '
                'official distributions install mic_mm without extras. To '
                f'repair: pip uninstall {" ".join(names)}, and install one.',
                stacklevel=2)


def _check_version(module: str, minimum: str, excluded_maximum: str) -> None:
    wanted = f'{module}>={minimum},<{excluded_maximum}'
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f'mic_mm needs {wanted}, but there is no module {module}. '
            'Run `bash tools/setup_env.sh`, or install it with '
            f'`mim install "{wanted}"`.')
    from mmengine.utils import digit_version
    version = importlib.import_module(module).__version__
    if not (digit_version(minimum) <= digit_version(version) <
            digit_version(excluded_maximum)):
        raise ImportError(f'mic_mm needs {wanted}, but {module} {version} is '
                          f'installed. Install it with `mim install '
                          f'"{wanted}"`.')


def register_config_package() -> None:
    """Let ``_base_ = 'mic_mm::...'`` and ``'mmseg::...'`` resolve.

    MMEngine resolves ``package::config`` through a fixed table.  It has no
    entry for mic_mm, and its entry for mmseg names the official distribution,
    which is absent where the maintained one provides the module; MMEngine
    then finds the package by its module name.
    """
    from mmengine.config import utils as config_utils
    table = config_utils.MODULE2PACKAGE
    table.setdefault('mic_mm', 'mic_mm')
    if (not _is_distribution(table.get('mmseg', 'mmsegmentation'))
            and importlib.util.find_spec('mmseg') is not None):
        table['mmseg'] = 'mmseg'


def _is_distribution(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

# Copyright (c) mic_mm authors. All rights reserved.
"""MIC (Masked Image Consistency) as a component of OpenMMLab 2."""
from .utils.compat import check_versions, register_config_package
from .version import __version__

check_versions()
register_config_package()

__all__ = ['__version__']

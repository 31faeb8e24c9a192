# Copyright (c) mic_mm authors. All rights reserved.
"""Version of mic_mm; executed by ``setup.py`` without importing the package."""

__version__ = '0.1.0'

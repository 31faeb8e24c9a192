# Copyright (c) mic_mm authors. All rights reserved.
"""How the networks are run: what changes memory and speed, not the method."""
from .configure import configure_execution

__all__ = ['configure_execution']

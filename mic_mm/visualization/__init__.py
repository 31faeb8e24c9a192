# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures of what a model trains on."""
from .panels import PanelStyle, draw_panels

__all__ = ['PanelStyle', 'draw_panels']

# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures of what a model trains on and of what it finds."""
from .detections import draw_detections
from .panels import PanelStyle, draw_panels

__all__ = ['PanelStyle', 'draw_detections', 'draw_panels']

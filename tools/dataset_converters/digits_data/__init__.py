# Copyright (c) mic_mm authors. All rights reserved.
"""Digits benchmark: real scans on both sides of a domain gap, offline.

See ``docs/en/digits_benchmark.md`` for what is written and why.
"""
from .build import TASKS, build_task, is_complete
from .compose import Canvas, CanvasStyle, compose_canvas, cut_glyph
from .grounds import photo_grounds, plain_ground
from .scans import SPLITS, Scans, load_scans

__all__ = [
    'SPLITS', 'TASKS', 'Canvas', 'CanvasStyle', 'Scans', 'build_task',
    'compose_canvas', 'cut_glyph', 'is_complete', 'load_scans',
    'photo_grounds', 'plain_ground'
]

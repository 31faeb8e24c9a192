# Copyright (c) mic_mm authors. All rights reserved.
"""Parts of a report on training runs, a web page in one file."""
from .html_page import (charts, image, page, paragraph, pictures, section,
                        table)
from .line_chart import Line, line_chart
from .scalars import read_scalars
from .spread import Spread

__all__ = [
    'Line', 'Spread', 'charts', 'image', 'line_chart', 'page', 'paragraph',
    'pictures', 'read_scalars', 'section', 'table'
]

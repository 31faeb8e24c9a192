# Copyright (c) mic_mm authors. All rights reserved.
"""Parts of a report on training runs, a web page in one file."""
from .html_page import (charts, data_address, figure, fold, image, key, page,
                        paragraph, pictures, section, table)
from .line_chart import Line, line_chart
from .scalars import read_scalars
from .spread import Spread

__all__ = [
    'Line', 'Spread', 'charts', 'data_address', 'figure', 'fold', 'image',
    'key', 'line_chart', 'page', 'paragraph', 'pictures', 'read_scalars',
    'section', 'table'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Parts of a report on training runs, a web page in one file."""
from .bar_chart import Bars, bar_chart
from .config_diff import config_diff
from .html_page import (
                        charts,
                        data_address,
                        figure,
                        fold,
                        image,
                        key,
                        page,
                        paragraph,
                        pictures,
                        section,
                        table,
)
from .line_chart import Line, line_chart
from .run_record import RunRecord, read_run, read_runs
from .run_report import run_report
from .scalars import Scalars, read_scalars, split_scalars
from .spread import Spread

__all__ = [
    'Bars', 'Line', 'RunRecord', 'Scalars', 'Spread', 'bar_chart', 'charts',
    'config_diff', 'data_address', 'figure', 'fold', 'image', 'key',
    'line_chart', 'page', 'paragraph', 'pictures', 'read_run', 'read_runs',
    'read_scalars', 'run_report', 'section', 'split_scalars', 'table'
]

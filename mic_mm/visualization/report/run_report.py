# Copyright (c) mic_mm authors. All rights reserved.
"""A report on training runs: curves, classes, panels and settings."""
from __future__ import annotations

import pprint
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from . import run_curves
from .bar_chart import Bars, bar_chart
from .config_diff import config_diff
from .html_page import charts, fold, image, key, page, paragraph, pictures, section, table
from .run_record import RunRecord
from .run_summary import last_values, overview

# With more classes the bars are folded: they would be pages long.
_SHOWN_CLASSES = 40
# Runs whose pictures are unfolded.
_OPEN = 2


def run_report(runs: Sequence[RunRecord],
               title: str = 'Report',
               panels: int = 3) -> str:
    """A web page in one file about some runs.

    Args:
        runs (Sequence[RunRecord]): The runs, see :func:`read_runs`.
        title (str): Its title. Defaults to ``'Report'``.
        panels (int): Pictures of what was trained on of each run, from the
            first to the last. Defaults to 3.

    Raises:
        ValueError: If there is no run.
    """
    if not runs:
        raise ValueError('There are no runs to report on.')
    legend = key([(run.name, run_curves.run_color(index))
                  for index, run in enumerate(runs)])
    return page(
        title, legend, overview(runs), _remarks(runs),
        section('Validation', legend, last_values(runs),
                run_curves.validation_charts(runs)),
        section('Classes', legend, _classes(runs)),
        section('Pseudo-labels', legend,
                run_curves.pseudo_label_charts(runs)),
        section('Losses', legend, run_curves.loss_charts(runs)),
        section('What was trained on', *(
            fold(run.name, _panels(run, panels), is_open=index < _OPEN)
            for index, run in enumerate(runs))),
        section('Settings', _settings(runs)),
        section('Further curves', fold('learning rate, time, …', legend,
                                       run_curves.other_charts(runs))))


def _remarks(runs: Sequence[RunRecord]) -> str:
    lines = [f'{run.name}: {remark}' for run in runs
             for remark in run.remarks]
    return '\n'.join(paragraph(line, 'note') for line in lines)


def _classes(runs: Sequence[RunRecord]) -> str:
    metrics = list(dict.fromkeys(m for run in runs for m in run.classes))
    drawn = []
    for metric in metrics:
        bars = [
            Bars(run.name, run.classes.get(metric, {}),
                 run_curves.run_color(index))
            for index, run in enumerate(runs)
        ]
        count = len({name for run in bars for name in run.values})
        drawn.append((count, metric, bar_chart(metric, bars)))
    if not drawn:
        return paragraph(
            'No metric of single classes was logged. mic_mm.DomainIoUMetric, '
            'mic_mm.DomainCocoMetric and mic_mm.PerClassAccuracy log them.',
            'note')
    return charts(*(
        svg if count <= _SHOWN_CLASSES else fold(f'{metric}, {count} classes',
                                                 svg)
        for count, metric, svg in drawn))


def _panels(run: RunRecord, count: int) -> str:
    shown = _spread(_widest(run.panels), count)
    parts = [pictures(*(
        image(path, f'{run.name}, iteration {int(path.stem)}')
        for path in shown))]
    if not shown:
        parts.append(paragraph('No pictures.', 'note'))
    if run.pictures:
        parts.append(fold('Other pictures', *(image(path, path.stem)
                                              for path in run.pictures)))
    return '\n'.join(parts)


def _widest(paths: Sequence[Path]) -> list[Path]:
    """Pictures in which all objectives take part."""
    widths = {path: _width(path) for path in paths}
    return [path for path in paths if widths[path] == max(widths.values())]


def _width(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.width


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """The first, the last, and some between."""
    if count < 1 or len(paths) <= count:
        return list(paths[:max(count, 0)])
    if count == 1:
        return [paths[-1]]
    last = len(paths) - 1
    return [paths[round(i * last / (count - 1))] for i in range(count)]


def _settings(runs: Sequence[RunRecord]) -> str:
    known = [run for run in runs if run.config is not None]
    parts = []
    if len(known) > 1:
        rows = config_diff([run.config for run in known])
        parts.append(table(['setting', *(run.name for run in known)],
                           [[name, *values] for name, values in rows], 'text')
                     if rows else paragraph('The settings are equal.'))
    parts += [
        fold(f'All settings of {run.name}', _code(pprint.pformat(
            run.config, width=100, sort_dicts=False))) for run in known
    ]
    if not known:
        parts.append(paragraph('No config was found.', 'note'))
    return '\n'.join(parts)


def _code(text: str) -> str:
    return paragraph(text, 'code')

# Copyright (c) mic_mm authors. All rights reserved.
"""The curves of several runs, sorted by what they are about."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from ..palette import class_colors
from .class_values import class_metric
from .html_page import charts, fold, paragraph
from .line_chart import Line, line_chart
from .run_record import RunRecord
from .scalars import Curve

# Colours that people with any colour vision can tell apart, on light and on
# dark ground (after Okabe and Ito).
_COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9',
           '#8c8c8c', '#b8a800')
# Last parts of what the labellers of mic_mm log.
_PSEUDO_LABELS = ('pseudo_confidence', 'confident_share', 'labelled_share',
                  'mean_weight', 'boxes_per_image')
_COUNTERS = ('iter', 'epoch')
# Charts to be seen at once; the others are folded.
_SHOWN = 9


def run_color(index: int) -> str:
    """Colour of a run; the first eight are easiest to tell apart."""
    if index < len(_COLORS):
        return _COLORS[index]
    return 'rgb({},{},{})'.format(*class_colors(index + 1)[index])


def validation_charts(runs: Sequence[RunRecord]) -> str:
    """A chart for each metric that is not of a class."""
    return _folded(
        runs, lambda run: {
            name: curve
            for name, curve in run.scalars.validation.items()
            if class_metric(name) is None
        }, 'No validation was logged.')


def loss_charts(runs: Sequence[RunRecord]) -> str:
    """A chart for each loss."""
    return _folded(runs, lambda run: _training(run, _is_loss),
                   'No loss was logged.')


def pseudo_label_charts(runs: Sequence[RunRecord]) -> str:
    """A chart for each number about pseudo-labels."""
    return _folded(
        runs, lambda run: _training(run, _is_pseudo_label),
        'Nothing about pseudo-labels was logged: no run uses them.')


def other_charts(runs: Sequence[RunRecord]) -> str:
    """Learning rate, time, memory and whatever else there is."""
    return _folded(
        runs, lambda run: _training(
            run, lambda name: not (_is_loss(name) or _is_pseudo_label(name))),
        'Nothing else was logged.')


def _is_loss(name: str) -> bool:
    return 'loss' in name


def _is_pseudo_label(name: str) -> bool:
    return name.rpartition('.')[2] in _PSEUDO_LABELS


def _training(run: RunRecord, is_wanted: Callable) -> dict[str, Curve]:
    return {
        name: curve
        for name, curve in run.scalars.training.items()
        if name not in _COUNTERS and is_wanted(name)
    }


def _folded(runs: Sequence[RunRecord], get_curves: Callable,
            if_none: str) -> str:
    curves = [get_curves(run) for run in runs]
    names = list(dict.fromkeys(name for c in curves for name in c))
    drawn = list(filter(None, (_chart(name, runs, curves) for name in names)))
    if not drawn:
        return paragraph(if_none, 'note')
    parts = [charts(*drawn[:_SHOWN])]
    if drawn[_SHOWN:]:
        parts.append(fold(f'{len(drawn) - _SHOWN} more',
                          charts(*drawn[_SHOWN:])))
    return '\n'.join(parts)


def _chart(name: str, runs: Sequence[RunRecord],
           curves: Sequence[dict[str, Curve]]) -> str:
    lines = [
        Line(
            run.name,
            *by_name[name],
            color=run_color(index))
        for index, (run, by_name) in enumerate(zip(runs, curves))
        if name in by_name
    ]
    return line_chart(name, lines, 'iteration', has_legend=False)

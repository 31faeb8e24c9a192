# Copyright (c) mic_mm authors. All rights reserved.
"""The last value of a metric for each class."""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .scalars import Scalars

ClassValues = dict[str, float]

# coco/AP50.car, IoU.road: as the metrics of mic_mm name them. A value at a
# threshold, pseudo_boxes/recall@0.5, is no class.
_DOTTED = re.compile(r'^(?P<metric>[^.@]+)\.(?P<name>.+)$')
# coco/car_precision: CocoMetric(classwise=True) of MMDetection.
_CLASSWISE = re.compile(r'^(?P<metric>.*coco/)(?P<name>.+)_precision$')
# class_accuracy/car: PerClassAccuracy of mic_mm.
_ACCURACY = re.compile(r'^(?P<metric>.*class_accuracy)/(?P<name>.+)$')
_MEANS = ('top1', 'mean')
# The first cell above the classes in tables of MMSegmentation and
# MMDetection.
_HEADINGS = ('class', 'category')
# Iter(val) [10/10]  mIoU: 48.97, below the tables of an evaluation.
_METRICS = re.compile(r'^.*\((?:val|test)\) *\[[^]]*\](?! +eta).*$', re.MULTILINE)
# As mic_mm.StudentTeacherValLoop names metrics, in its order.
_BRANCHES = ('student/', 'teacher/')


def class_metric(name: str) -> tuple[str, str] | None:
    """Metric and class in the name of a logged value, or None."""
    for pattern in (_CLASSWISE, _ACCURACY, _DOTTED):
        match = pattern.match(name)
        if match and match['name'] not in _MEANS:
            metric = match['metric']
            return ('AP (COCO)' if pattern is _CLASSWISE else metric,
                    match['name'])
    return None


def class_values(scalars: Scalars,
                 starts: Sequence[Path]) -> dict[str, ClassValues]:
    """The last value of each class, by metric.

    They are in the log of values where the metric gives them; the metrics of
    MMSegmentation and MMDetection give them in a table of the text log.

    Args:
        scalars (Scalars): Curves of the run.
        starts (Sequence[Path]): Folders of its starts, by time, each with
            its text log.
    """
    found: dict[str, ClassValues] = {}
    for name, (_, values) in scalars.validation.items():
        parts = class_metric(name)
        if parts is not None:
            found.setdefault(parts[0], {})[parts[1]] = values[-1]
    for metric, values in _last_table(starts).items():
        found.setdefault(metric, values)
    return found


def _last_table(starts: Sequence[Path]) -> dict[str, ClassValues]:
    """That of the last validation; of the last test where there is none."""
    tested: dict[str, ClassValues] = {}
    for start in reversed(starts):
        for path in sorted(start.glob('*.log'), reverse=True):
            text = path.read_text(errors='replace')
            for is_test, table in reversed(list(_evaluations(text))):
                if not is_test:
                    return table
                tested = tested or table
    return tested


def _evaluations(text: str) -> Iterator[tuple[bool, dict[str, ClassValues]]]:
    """Tables of each evaluation, and whether it was a test.

    The line of the metrics is below the tables.  If it has those of student
    and teacher, so have the tables.
    """
    begin = 0
    ends = [*_METRICS.finditer(text), None]
    for end in ends:
        tables = _tables(text[begin:end.start() if end else None])
        line = text[end.start():end.end()] if end else ''
        begin = end.end() if end else 0
        if not tables:
            continue
        merged = tables[-1]
        if len(tables) == len(_BRANCHES) and all(b in line for b in _BRANCHES):
            merged = {
                branch + metric: values
                for branch, table in zip(_BRANCHES, tables)
                for metric, values in table.items()
            }
        yield '(test)' in line, merged


def _tables(text: str) -> list[dict[str, ClassValues]]:
    """Every table of classes, as values by metric and class."""
    tables: list[dict[str, ClassValues]] = []
    header: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if not line.startswith('|'):
            if not line.startswith('+'):
                header = []
        elif cells[0].lower() in _HEADINGS:
            header = cells
            tables.append({metric: {} for metric in header[1:]})
        elif header and len(cells) == len(header):
            for metric, cell in zip(header[1:], cells[1:]):
                value = _number(cell)
                if value is not None:
                    tables[-1][metric][cells[0]] = value
    return [
        {metric: values for metric, values in table.items() if values}
        for table in tables
    ]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

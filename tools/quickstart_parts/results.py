# Copyright (c) mic_mm authors. All rights reserved.
"""What the finished runs say: table, summary.json and report.html."""
from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from .plan import METRICS, Run

# Colours that people with any colour vision can tell apart (Okabe and Ito).
COLORS = {
    'source-only': '#999999',
    'self-training': '#0072b2',
    'mic': '#d55e00',
    'oracle': '#009e73',
}


def summarize(runs: Sequence[Run]) -> dict:
    """The content of summary.json.

    Args:
        runs (Sequence[Run]): Finished runs.

    Returns:
        dict: ``{task: {method: {seed: value}, 'metric': name,
        'seconds': number}}`` with values in percent and the seconds of all
        runs of the task added up.
    """
    summary: dict = {}
    for run in runs:
        task = summary.setdefault(run.task, {})
        task.setdefault(run.method, {})[str(run.seed)] = round(run.value, 2)
    for task, content in summary.items():
        content['metric'] = METRICS[task].key
        content['seconds'] = round(
            sum(r.result()['seconds'] for r in runs if r.task == task), 1)
    return summary


def table_rows(summary: dict) -> list[list[str]]:
    """Header and one row per method: mean and spread for each task."""
    from mic_mm.visualization.report import Spread
    methods = [
        method for method in COLORS
        if any(method in content for content in summary.values())
    ]
    header = ['', *(f'{task}: {METRICS[task].name}' for task in summary)]
    rows = [[
        method, *(str(Spread.of(list(content[method].values())))
                  if method in content else '-'
                  for content in summary.values())
    ] for method in methods]
    return [header, *rows]


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return '\n'.join(
        '  '.join([
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
        ]) for row in rows)


def seeds_note(summary: dict) -> str:
    """How the numbers were made, for below the table."""
    seeds = {len(v) for c in summary.values() for v in c.values()
             if isinstance(v, dict)}
    if seeds == {1}:
        return ('One seed: small differences mean nothing; --seeds 3 shows '
                'the spread.')
    return 'Mean and standard deviation over the seeds.'


def write_summary(summary: dict, path: Path) -> None:
    """Write summary.json."""
    path.write_text(json.dumps(summary, indent=2) + '\n')


def write_report(runs: Sequence[Run], summary: dict, command: str,
                 path: Path) -> None:
    """Write report.html."""
    from mic_mm.visualization import report
    rows = table_rows(summary)
    parts = [
        report.paragraph(
            'Digits benchmark: trained on labelled optdigits and unlabelled '
            'MNIST-5k, evaluated on the test split of MNIST-5k.'),
        report.table(rows[0], rows[1:]),
        report.paragraph(seeds_note(summary), 'note')
    ]
    for task in summary:
        parts.append(_task_section([r for r in runs if r.task == task]))
    parts.append(report.paragraph(_made_by(command, summary), 'note'))
    path.write_text(report.page('Quickstart of mic_mm', *parts),
                    encoding='utf-8')


def _task_section(runs: Sequence[Run]) -> str:
    from mic_mm.visualization import report
    metric = METRICS[runs[0].task]
    titles = {
        'cls': 'Classification',
        'seg': 'Semantic segmentation',
        'det': 'Object detection'
    }
    scalars = {run: report.read_scalars(run.folder) for run in runs}
    charts = [
        _chart(f'{metric.name}, target validation',
               {run: _scaled(logged.get(metric.key, ([], [])), metric.scale)
                for run, logged in scalars.items()}),
        _chart('loss on the source',
               {run: _source_loss(logged) for run, logged in scalars.items()}),
        _chart('confidence of the pseudo-labels',
               {run: _confidence(logged) for run, logged in scalars.items()}),
    ]
    return report.section(titles[runs[0].task], report.charts(*charts),
                          _panels(runs))


def _chart(title: str, curves: dict) -> str:
    from mic_mm.visualization import report
    lines = [
        report.Line(run.method, steps, values, COLORS[run.method])
        for run, (steps, values) in curves.items()
    ]
    return report.line_chart(title, lines, 'iteration')


def _scaled(curve: tuple, factor: float) -> tuple:
    steps, values = curve
    return steps, [factor * value for value in values]


def _source_loss(scalars: dict) -> tuple:
    """The sum of all losses on source images."""
    curves = [
        curve for name, curve in scalars.items()
        if name.startswith('source.') and 'loss' in name
    ]
    steps = curves[0][0] if curves else []
    return steps, [sum(v) for v in zip(*(values for _, values in curves))]


def _confidence(scalars: dict) -> tuple:
    """Objectives share their labels, so it is the same for all of them."""
    curves = [curve for name, curve in scalars.items()
              if name.endswith('.pseudo_confidence')]
    return curves[0] if curves else ([], [])


def _panels(runs: Sequence[Run]) -> str:
    """What MIC trained on when it began and at the end, for one seed."""
    from mic_mm.visualization import report
    order = list(COLORS)
    run = max((r for r in runs if r.method != 'oracle'),
              key=lambda r: (order.index(r.method), -r.seed),
              default=runs[0])
    paths = sorted(run.folder.glob('*/vis_data/uda_panels/*.png'))
    return report.pictures(*(
        report.image(
            path, f'{run.method}, seed {run.seed}, iteration '
            f'{int(path.stem)}') for path in _first_and_last(paths)))


def _first_and_last(paths: Sequence[Path]) -> list[Path]:
    """Of the widest pictures, those in which all objectives take part."""
    from PIL import Image
    widths = {path: Image.open(path).width for path in paths}
    widest = [p for p in paths if widths[p] == max(widths.values())]
    return list(dict.fromkeys([*widest[:1], *widest[-1:]]))


def _made_by(command: str, summary: dict) -> str:
    import torch

    import mic_mm
    seconds = sum(content['seconds'] for content in summary.values())
    return (f'Made by `{command}` with mic_mm {mic_mm.__version__}, torch '
            f'{torch.__version__}, Python {platform.python_version()} on '
            f'{os.cpu_count()} cores; {seconds / 60:.1f} minutes of runs.')

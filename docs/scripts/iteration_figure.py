#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Draws ``docs/en/_static/iteration.svg``, the figure of one training iteration.

The small pictures are one row of ``docs/en/_static/panels.png``, so they belong
together: the mixed and the masked image are made of the source and the target shown.
"""
from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

STATIC = Path(__file__).parents[1] / 'en' / '_static'
# Of the panels: the chosen row, and where the columns begin.
PANEL_TOP, PANEL_SIDE = 334, 128
PANELS = {'source': 6, 'ground truth': 140, 'target': 274, 'pseudo-label': 408,
          'mixed': 676, 'mixed label': 810, 'masked': 1078}

WIDTH, HEIGHT = 890, 676
SIDE = 88  # of a picture
ROWS = {'teacher': 62, 'source': 212, 'self_training': 342, 'mic': 472}
INPUT, NETWORK, LOSS, LABEL = 262, 420, 590, 740  # left edges
NETWORK_WIDTH, LOSS_WIDTH = 110, 92
INK, GREY, BLUE, ORANGE, GREEN = '#1f2933', '#66727f', '#1d5fa8', '#b4540a', '#2f7d4f'

STYLE = f'''
  text {{ font-family: Helvetica, Arial, sans-serif; font-size: 14px; fill: {INK}; }}
  .name {{ font-weight: bold; font-size: 15px; }}
  .type {{ font-family: Menlo, Consolas, monospace; font-size: 11.5px; fill: {BLUE}; }}
  .note {{ font-size: 12px; fill: {GREY}; }}
  .line {{ fill: none; stroke: {INK}; stroke-width: 1.6; marker-end: url(#ink); }}
  .feed {{ fill: none; stroke: {GREY}; stroke-width: 1.3; marker-end: url(#grey); }}
  .back {{ fill: none; stroke: {ORANGE}; stroke-width: 1.6; stroke-dasharray: 5 4;
           marker-end: url(#orange); }}
  .mean {{ fill: none; stroke: {GREEN}; stroke-width: 2; marker-end: url(#green); }}
'''


def picture(panels: Image.Image, name: str, x: float, y: float) -> str:
    """A picture of the panels with its name below."""
    left = PANELS[name]
    cut = panels.crop((left, PANEL_TOP, left + PANEL_SIDE, PANEL_TOP + PANEL_SIDE))
    data = io.BytesIO()
    cut.save(data, 'PNG', optimize=True)
    code = base64.b64encode(data.getvalue()).decode()
    return (f'<image x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" '
            f'href="data:image/png;base64,{code}"/>'
            + text(x + SIDE / 2, y + SIDE + 15, name, 'note', 'middle'))


def text(x: float, y: float, words: str, kind: str = '', anchor: str = 'start') -> str:
    """A line of text."""
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{words}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, stroke: str) -> str:
    """A rectangle with round corners."""
    return (f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="1.6"/>')


def path(kind: str, *points: tuple) -> str:
    """A line through points, with an arrow at its end."""
    return f'<path class="{kind}" d="M {" L ".join(f"{x} {y}" for x, y in points)}"/>'


def marker(name: str, colour: str) -> str:
    """The head of an arrow."""
    return (f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
            'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path d="M 0 0 L 8 4 L 0 8 z" fill="{colour}"/></marker>')


def labelling(panels: Image.Image) -> list[str]:
    """The row of the teacher."""
    y = ROWS['teacher']
    middle = y + SIDE / 2
    return [
        text(24, middle - 22, 'pseudo-labels', 'name'),
        text(24, middle - 3, 'made when first asked for,', 'note'),
        text(24, middle + 13, 'once per iteration', 'note'),
        picture(panels, 'target', INPUT, y),
        path('line', (INPUT + SIDE + 4, middle), (NETWORK - 3, middle)),
        box(NETWORK, y + 8, NETWORK_WIDTH, SIDE - 16, '#e8f4ec', GREEN),
        text(NETWORK + NETWORK_WIDTH / 2, middle - 3, 'teacher &#966;', 'name', 'middle'),
        text(NETWORK + NETWORK_WIDTH / 2, middle + 15, 'no gradient', 'note', 'middle'),
        path('line', (NETWORK + NETWORK_WIDTH + 4, middle), (LABEL - 4, middle)),
        text((NETWORK + NETWORK_WIDTH + LABEL) / 2, middle - 9, 'labeller', 'note', 'middle'),
        text((NETWORK + NETWORK_WIDTH + LABEL) / 2, middle + 18, 'label, weight q', 'note',
             'middle'),
        picture(panels, 'pseudo-label', LABEL, y),
    ]


def objective(panels: Image.Image, name: str, number: int, kind: str, notes: list,
              image: str, label: str) -> list[str]:
    """The row of an objective."""
    y = ROWS[name]
    middle = y + SIDE / 2
    parts = [
        text(24, middle - 26, f'{number}&#8194;{name}', 'name'),
        text(24, middle - 8, kind, 'type'),
        *[text(24, middle + 10 + 16 * i, note, 'note') for i, note in enumerate(notes)],
        picture(panels, image, INPUT, y),
        path('line', (INPUT + SIDE + 4, middle), (NETWORK - 3, middle)),
        path('line', (NETWORK + NETWORK_WIDTH + 2, middle - 9), (LOSS - 3, middle - 9)),
        path('back', (LOSS - 2, middle + 11), (NETWORK + NETWORK_WIDTH + 3, middle + 11)),
        box(LOSS, middle - 24, LOSS_WIDTH, 48, '#fdf1e3', ORANGE),
        text(LOSS + LOSS_WIDTH / 2, middle - 2, 'losses', 'name', 'middle'),
        text(LOSS + LOSS_WIDTH / 2, middle + 15, 'backward', 'note', 'middle'),
        picture(panels, label, LABEL, y),
        path('line', (LABEL - 4, middle), (LOSS + LOSS_WIDTH + 3, middle)),
    ]
    return parts


def feeds() -> list[str]:
    """Which picture is made of which."""
    left, right = INPUT - 14, LABEL + SIDE + 26
    target, mixed, masked = (ROWS[n] + SIDE / 2 for n in ('teacher', 'self_training', 'mic'))
    source = ROWS['source'] + SIDE + 22
    return [
        path('feed', (INPUT - 3, target), (left, target), (left, masked), (INPUT - 3, masked)),
        path('feed', (left, mixed), (INPUT - 3, mixed)),
        path('feed', (INPUT + SIDE / 2, source), (INPUT + SIDE / 2, ROWS['self_training'] - 3)),
        path('feed', (LABEL + SIDE + 3, target), (right, target), (right, masked),
             (LABEL + SIDE + 4, masked)),
        path('feed', (right, mixed), (LABEL + SIDE + 4, mixed)),
        path('feed', (LABEL + SIDE / 2, source), (LABEL + SIDE / 2, ROWS['self_training'] - 3)),
    ]


def student_and_step() -> list[str]:
    """The student, its update and that of the teacher."""
    top, bottom = ROWS['source'] - 4, ROWS['mic'] + SIDE + 4
    centre, step = NETWORK + NETWORK_WIDTH / 2, bottom + 44
    return [
        box(NETWORK, top, NETWORK_WIDTH, bottom - top, '#e6eef8', BLUE),
        text(centre, top + 118, 'student &#952;', 'name', 'middle'),
        *[text(centre, top + 140 + 17 * i, words, 'note', 'middle')
          for i, words in enumerate(['the plain model', 'of the library'])],
        path('line', (centre, bottom + 2), (centre, step - 3)),
        box(NETWORK - 140, step, NETWORK_WIDTH + 280, 52, '#fff', INK),
        text(centre, step + 22, 'average the gradients over the ranks', '', 'middle'),
        text(centre, step + 40, 'optimizer step', 'name', 'middle'),
        path('mean', (centre - 22, top - 2), (centre - 22, ROWS['teacher'] + SIDE - 5)),
        text(centre - 10, top - 36, 'before the next step', 'note'),
        text(centre - 10, top - 18, '&#966; &#8592; a&#966; + (1 &#8722; a)&#952;', ''),
    ]


def figure(panels: Image.Image) -> str:
    """The whole figure."""
    parts = [
        text(24, 34, 'One iteration, with the objectives of a segmentation config', 'name'),
        *feeds(),
        *student_and_step(),
        *labelling(panels),
        *objective(panels, 'source', 1, 'SourceSupervision', ['the library&#8217;s own loss'],
                   'source', 'ground truth'),
        *objective(panels, 'self_training', 2, 'ClassMixSelfTraining',
                   ['source classes pasted', 'onto the target image'], 'mixed', 'mixed label'),
        *objective(panels, 'mic', 3, 'MaskedConsistency',
                   ['the label is that of', 'the whole image'], 'masked', 'pseudo-label'),
    ]
    body = '\n'.join(parts)
    arrows = ''.join(marker(*item) for item in
                     (('ink', INK), ('grey', GREY), ('orange', ORANGE), ('green', GREEN)))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img">\n'
            '<title>One training iteration of mic_mm</title>\n'
            f'<style>{STYLE}</style>\n<defs>{arrows}</defs>\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n')


def main() -> None:
    panels = Image.open(STATIC / 'panels.png').convert('RGB')
    (STATIC / 'iteration.svg').write_text(figure(panels), encoding='utf-8')


if __name__ == '__main__':
    main()

# Copyright (c) mic_mm authors. All rights reserved.
"""Configs and switches of the table of methods give what it says."""
import argparse
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.utils.cli import ConfigOptions

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / 'docs/en/user_guides/methods.md').read_text()
FOLDERS = {
    'Segmentation': 'seg/gta2cityscapes',
    'Classification': 'cls/visda',
    'Detection': 'det/cityscapes2foggy',
}
METHODS = {
    'Segmentation':
    {'source-only', 'DACS', 'DAFormer', 'HRDA', 'AdvSeg', 'MinEnt'},
    'Classification': {
        'source-only', 'DANN', 'CDAN', 'MCC', 'CDAN+MCC', 'SDAT',
        'self-training', 'oracle'
    },
    'Detection': {'source-only', 'self-training', 'SADA', 'oracle'},
}
[MIC] = re.findall(r'^MIC="(.*?)"', TEXT, re.S | re.M)


def rows():
    for title in FOLDERS:
        [section] = re.findall(rf'^## {title}\n(.*?)(?=^## )', TEXT,
                               re.S | re.M)
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip('|').split('|')]
            if line.startswith('|') and '.py`' in line:
                yield title, *cells


ROWS = list(rows())


def switches(text):
    """A cell as MMEngine's argument parser reads it."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions)
    words = text.strip('`').replace('$MIC', MIC.replace('\\\n', '')).split()
    arguments = ['--cfg-options', *words] if words else []
    return parser.parse_args(arguments).cfg_options or {}


def trained(cfg):
    """Names of the objectives, and of the terms of joint supervision."""
    for name, objective in cfg.model.objectives.items():
        if objective is not None:
            terms = [k for k, v in (objective.get('terms') or {}).items() if v]
            yield from [f'{name}.{term}' for term in terms] or [name]


@pytest.mark.parametrize('row', ROWS, ids=lambda row: f'{row[0]} {row[1]}')
def test_a_row_gives_what_it_says(row):
    title, _, config, options, says = row
    cfg = Config.fromfile(ROOT / 'configs' / FOLDERS[title] /
                          config.strip('`'))
    pytest.importorskip(cfg.default_scope)
    cfg.merge_from_dict(switches(options))
    if says == 'the stock model':
        assert 'UDA' not in cfg.model.type
        return
    objectives, _, optimizer = says.partition('; ')
    assert sorted(trained(cfg)) == sorted(objectives.split(', '))
    assert ('SAM' in cfg.optim_wrapper.type) == (
        optimizer == 'sharpness-aware')
    assert (cfg.model.get('teacher') is not None) == bool(
        {'mic', 'self_training'} & set(objectives.split(', '))
        or cfg.model.get('predict_on') == 'teacher')
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        for objective in filter(None, cfg.model.objectives.values()):
            MODELS.build(objective)


@pytest.mark.parametrize('title', FOLDERS)
def test_every_method_has_a_row_with_mic_or_is_a_baseline(title):
    named = {method.partition(' (')[0] for t, method, *_ in ROWS if t == title}
    assert METHODS[title] <= named
    hosts = METHODS[title] - {'source-only', 'oracle', 'DANN'}
    assert {f'MIC({host})' for host in hosts} <= named

# Copyright (c) mic_mm authors. All rights reserved.
"""SADA and MIC(SADA) on the digits, and the command that makes their table."""
import importlib
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mic_mm.testing.short_runs import shorten, train_config

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'configs' / 'det' / 'digits'
OBJECTIVES = {
    'source-only': {'source'},
    'self-training': {'source', 'self_training'},
    'sada': {'sada'},
    'mic-sada': {'sada', 'mic'},
    'oracle': {'source'},
}


def read_config(method):
    path, = FOLDER.glob(f'{method}_tiny-faster-rcnn_*mnist5k.py')
    return Config.fromfile(path)


@pytest.mark.parametrize('method', ['sada', 'mic-sada', 'oracle'])
def test_det_sada_trains_on_the_digits(method, root, monkeypatch, tmp_path):
    monkeypatch.chdir(root.parents[1])
    monkeypatch.setattr(Config, 'pretty_text', '')
    cfg = shorten(read_config(method), tmp_path)
    if method == 'mic-sada':  # an untrained teacher is sure of nothing
        cfg.model.objectives.mic.begin = 0
        cfg.model.labeller = dict(type='mic_mm.BoxLabeller', threshold=0.)
        cfg.model.detector.test_cfg.rcnn.score_thr = 0.
    cfg.experiment_name = tmp_path.name
    logged = train_config(cfg)
    for name in OBJECTIVES[method]:
        losses = [v for key, v in logged.items()
                  if key.startswith(f'{name}.') and 'loss' in key]
        assert losses and sum(losses) > 0, name
    if method != 'oracle':
        assert logged['sada.image.loss'] > 0
        assert logged['sada.instance.loss'] > 0
    assert {'coco/bbox_mAP_50', 'pseudo_boxes/recall@0.8'} <= logged.keys()


def test_det_methods_with_sada_differ_in_objectives_only():
    configs = {method: read_config(method).to_dict() for method in OBJECTIVES}
    for method, cfg in configs.items():
        found = cfg['model'].pop('objectives')
        assert {n for n, v in found.items() if v} == OBJECTIVES[method]
        for part in ('teacher', 'labeller', 'pseudo_weight'):
            cfg['model'].pop(part)
    source = configs['oracle']['train_dataloader']['dataset'].pop('source')
    assert source['ann_file'] == 'mnist5k/annotations/train.json'
    configs['source-only']['train_dataloader']['dataset'].pop('source')
    configs['source-only'].pop('target_train_labelled')
    configs['oracle'].pop('target_train_labelled')
    assert configs['oracle'] == configs['source-only']
    assert configs['sada'] == configs['mic-sada'] == configs['self-training']


def test_command_finds_a_config_for_each_method(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'benchmark'))
    monkeypatch.setattr(sys, 'argv', ['digits_detection.py'])
    detection = importlib.import_module('digits_detection')
    table = importlib.import_module('digits_table')
    args = table.parse_args(detection.BENCHMARK, '')
    runs = table.make_plan(detection.BENCHMARK, args, Path('runs'))
    assert len(runs) == 3 * len(OBJECTIVES)
    assert {run.method.split('/')[1] for run in runs} == set(OBJECTIVES)
    assert all(run.config.is_file() for run in runs)

# Copyright (c) mic_mm authors. All rights reserved.
"""Detectors of several families train on the digits with self-training and MIC."""
from pathlib import Path

import pytest
from mmengine.config import Config

from mic_mm.testing.models_det import dino_has_any_width
from mic_mm.testing.short_runs import shorten, train_config

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'det' / 'digits'
NETWORKS = ('tiny-dino', 'tiny-faster-rcnn', 'tiny-fcos', 'tiny-retinanet')


def read_config(network, method):
    path, = FOLDER.glob(f'{method}_{network}_*mnist5k.py')
    return Config.fromfile(path)


def sure_from_the_start(cfg):
    """All objectives at once; boxes of an untrained teacher are used."""
    for objective in cfg.model.objectives.values():
        if objective is not None:
            objective.begin = 0
    cfg.model.labeller.threshold = 0.
    test_cfg = cfg.model.detector.test_cfg
    for part in (test_cfg, test_cfg.get('rcnn', {})):
        if 'score_thr' in part:
            part.score_thr = 0.
    return cfg


@pytest.mark.parametrize('network', NETWORKS)
def test_det_detector_trains_on_the_digits(network, root, monkeypatch, tmp_path):
    if network == 'tiny-dino' and not dino_has_any_width():
        pytest.skip('DINO of MMDetection 3.3.0 has 256 channels or fails')
    monkeypatch.chdir(root.parents[1])
    monkeypatch.setattr(Config, 'pretty_text', '')
    cfg = sure_from_the_start(shorten(read_config(network, 'mic'), tmp_path))
    cfg.experiment_name = tmp_path.name
    logged = train_config(cfg)
    for objective in ('source', 'self_training', 'mic'):
        losses = [value for key, value in logged.items()
                  if key.startswith(f'{objective}.') and 'loss' in key and 'cls' in key]
        assert losses and sum(losses) > 0, objective
    assert logged['mic.labelled_share'] == 1.
    assert not [k for k in logged if k.startswith('mic.') and ('bbox' in k or 'iou' in k)]
    assert 'coco/bbox_mAP_50' in logged


@pytest.mark.parametrize('network', NETWORKS)
def test_det_methods_on_the_digits_differ_in_objectives_only(network):
    configs = {m: read_config(network, m).to_dict()
               for m in ('source-only', 'self-training', 'mic')}
    found = {
        method: {n for n, v in cfg['model'].pop('objectives').items() if v is not None}
        for method, cfg in configs.items()}
    assert found == {
        'source-only': {'source'}, 'self-training': {'source', 'self_training'},
        'mic': {'source', 'self_training', 'mic'}}
    assert configs['source-only']['model'].pop('teacher') is None
    for cfg in (configs['mic'], configs['self-training']):
        assert cfg['model'].pop('teacher')['type'] == 'mic_mm.EMATeacher'
    assert configs['self-training'] == configs['mic']
    assert configs['source-only']['train_dataloader'] == configs['mic']['train_dataloader']

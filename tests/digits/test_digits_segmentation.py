# Copyright (c) mic_mm authors. All rights reserved.
"""MIC on DAFormer and HRDA, and what it is compared to, on digits."""
from pathlib import Path

import pytest
from mmengine.config import Config

pytest.importorskip('mmseg')

import mic_mm  # noqa: E402, F401
from mic_mm.testing.short_runs import shorten, train_config  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'seg' / 'digits'
METHODS = {
    'source-only': {'source'},
    'oracle': {'source'},
    'self-training': {'source', 'self_training'},
    'mic': {'source', 'self_training', 'mic'},
}
LOSSES = {
    'tiny-unet': {'decode.loss_ce'},
    'tiny-daformer': {'decode.loss_ce'},
    'tiny-hrda': {'decode.loss_ce', 'decode.hr.loss_ce'},
}


def read_config(method, network):
    path, = FOLDER.glob(f'{method}_{network}_*mnist5k.py')
    return Config.fromfile(path)


@pytest.mark.parametrize('network', LOSSES)
@pytest.mark.parametrize('method', METHODS)
def test_every_config_trains_with_its_objectives(
        root, tmp_path, monkeypatch, method, network):
    monkeypatch.chdir(root.parents[1])
    cfg = shorten(read_config(method, network), tmp_path)
    for objective in filter(None, cfg.model.objectives.values()):
        objective.begin = 0
    logged = train_config(cfg)
    assert {name for name in logged if 'loss_' in name} == {
        f'{objective}.{loss}'
        for objective in METHODS[method] for loss in LOSSES[network]
    }
    assert 0 <= logged['mIoU'] <= 100


def test_every_config_is_a_method_on_a_network():
    assert len(list(FOLDER.glob('*.py'))) == len(METHODS) * len(LOSSES)


@pytest.mark.parametrize('network', LOSSES)
def test_methods_differ_from_mic_in_what_is_switched_off_only(network):
    mic = read_config('mic', network).to_dict()
    begin = mic['model']['objectives']['mic']['begin']
    assert mic['model']['objectives']['self_training']['begin'] == begin
    for method in ('source-only', 'self-training', 'oracle'):
        cfg = read_config(method, network).to_dict()
        objectives = cfg['model'].pop('objectives')
        assert {n for n, v in objectives.items() if v} == METHODS[method]
        for name in METHODS[method]:
            assert objectives[name] == mic['model']['objectives'][name]
        if method != 'self-training':
            assert cfg['model'].pop('teacher') is None
            cfg['model']['teacher'] = mic['model']['teacher']
        if method == 'oracle':
            source = cfg['train_dataloader']['dataset'].pop('source')
            assert source == mic['target_train_labelled']
            cfg['train_dataloader']['dataset']['source'] = mic['source_train']
        cfg['model']['objectives'] = mic['model']['objectives']
        assert cfg == mic


def test_hrda_runs_on_the_network_of_daformer():
    daformer = read_config('mic', 'tiny-daformer').model.segmentor
    hrda = read_config('mic', 'tiny-hrda').model.segmentor
    assert hrda.backbone == daformer.backbone
    assert hrda.decode_head.single_scale_head == daformer.decode_head

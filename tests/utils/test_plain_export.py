# Copyright (c) mic_mm authors. All rights reserved.
"""Exported models of all hosts: equal, and trainable in their library."""
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper

import mic_mm  # noqa: F401
from mic_mm.testing.hosts import HOSTS, batch_of, predicted, wrapped
from mic_mm.testing.models import tiny_segmentor
from mic_mm.utils.plain_export import build_plain, plain_config, plain_weights
from mic_mm.utils.stock_types import is_own, values
from mic_mm.utils.strict_loading import load_strictly

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('branch', ['student', 'teacher'])
@pytest.mark.parametrize('host', HOSTS)
def test_every_host_predicts_the_same_to_the_last_bit(host, branch):
    cfg, model = wrapped(host)
    before = cfg.pretty_text
    plain = plain_config(cfg)
    assert cfg.pretty_text == before
    assert not {'teacher', 'objectives', 'predict_on'} & set(plain.model)
    needs_mic_mm = any(map(is_own, values(plain.model.to_dict())))
    assert ('custom_imports' in plain) == needs_mic_mm
    exported = build_plain(plain)
    weights = plain_weights(model.state_dict(), branch)
    load_strictly(exported, weights)
    model.predict_on = branch
    # As in the teacher: of weights without gradients PyTorch's attention
    # computes in another order.
    exported.eval().requires_grad_(branch == 'student')
    found = predicted(exported, batch_of(host, 3))
    expected = predicted(model, batch_of(host, 3))
    assert len(found) == len(expected) and all(map(len, expected))
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize('host', HOSTS)
def test_every_host_trains_on_in_its_library(host):
    cfg, model = wrapped(host)
    exported = build_plain(plain_config(cfg)).train()
    load_strictly(exported, plain_weights(model.state_dict()))
    before = [p.detach().clone() for p in exported.parameters()]
    wrapper = OptimWrapper(torch.optim.SGD(exported.parameters(), lr=1e-3))
    logs = exported.train_step(batch_of(host, 0), wrapper)
    assert torch.isfinite(logs['loss'])
    assert any(not torch.equal(old, new)
               for old, new in zip(before, exported.parameters()))


@pytest.mark.parametrize('config, data, metric', [
    ('det/cityscapes2foggy/mic-sada_faster-rcnn-r50_1xb1-60k_cityscapes_'
     'foggy-cityscapes', 'CocoDataset', 'CocoMetric'),
    ('cls/visda/mic-sdat_vit-b16_1xb32-15k_visda2017', 'CustomDataset',
     'Accuracy'),
    ('seg/digits/mic_tiny-unet_1xb8-1k_optdigits_mnist5k', 'BaseSegDataset',
     'IoUMetric'),
])
def test_networks_of_a_library_need_no_mic_mm(config, data, metric):
    cfg = Config.fromfile(ROOT / f'configs/{config}.py')
    plain = plain_config(cfg)
    assert 'mic_mm' not in plain.pretty_text
    assert plain.test_dataloader.dataset.type == data
    assert plain.test_evaluator.type == metric
    if data == 'CustomDataset':
        assert plain.test_dataloader.dataset.metainfo.classes[:2] == (
            'aeroplane', 'bicycle')
    assert plain.visualizer.type != 'Visualizer'
    # Also to the kind of sequence: Resize takes a tuple as scale, and no list.
    steps = plain.test_dataloader.dataset.pipeline
    assert [step.to_dict() for step in steps] == [
        step.to_dict() for step in cfg.test_dataloader.dataset.pipeline]


def test_the_config_is_left_alone():
    cfg = Config(
        dict(
            data_preprocessor=dict(type='SegDataPreProcessor', size=(8, 8)),
            model=dict(type='mic_mm.UDASegmentor', segmentor=tiny_segmentor())))
    cfg.model.segmentor.pop('data_preprocessor')
    before = copy.deepcopy(cfg.to_dict())
    assert plain_config(cfg).model.data_preprocessor.size == (8, 8)
    assert cfg.to_dict() == before


def test_class_folders_keep_their_order():
    # MMPretrain numbers folders by the alphabet, mic_mm by `classes`.
    cfg, _ = wrapped('vit-cdan-mcc')
    cfg.test_dataloader = dict(
        dataset=dict(type='mic_mm.OfficeHome', data_root='x', pipeline=[]))
    plain = plain_config(cfg)
    assert plain.test_dataloader.dataset.type == 'mic_mm.OfficeHome'
    assert plain.custom_imports.imports == ['mic_mm']

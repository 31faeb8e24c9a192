# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine import Config

from mic_mm.utils import cli

ACCELERATOR = 'mic_mm.utils.cli.machine.has_accelerator'


@pytest.mark.parametrize('kind, expected', [
    (None, 'AmpOptimWrapper'),
    ('OptimWrapper', 'AmpOptimWrapper'),
    ('AmpOptimWrapper', 'AmpOptimWrapper'),
    ('mic_mm.SAMOptimWrapper', 'mic_mm.SAMAmpOptimWrapper'),
    ('mic_mm.SAMAmpOptimWrapper', 'mic_mm.SAMAmpOptimWrapper'),
])
def test_amp_chooses_the_wrapper_of_mixed_precision(monkeypatch, kind,
                                                    expected):
    monkeypatch.setattr(ACCELERATOR, lambda: True)
    cfg = Config(dict(optim_wrapper=dict(type=kind) if kind else dict()))
    cli.enable_amp(cfg)
    assert cfg.optim_wrapper.type == expected
    assert cfg.optim_wrapper.loss_scale == 'dynamic'


def test_amp_refuses_other_wrappers_by_name(monkeypatch):
    monkeypatch.setattr(ACCELERATOR, lambda: True)
    cfg = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper')))
    with pytest.raises(cli.UsageError, match='ApexOptimWrapper'):
        cli.enable_amp(cfg)


@pytest.mark.parametrize('dtype, scale', [
    ('float16', 'dynamic'),
    ('bfloat16', dict(enabled=False)),
    (torch.bfloat16, dict(enabled=False)),
])
def test_only_gradients_of_float16_are_scaled(monkeypatch, dtype, scale):
    monkeypatch.setattr(ACCELERATOR, lambda: True)
    cfg = Config(dict(optim_wrapper=dict(dtype=dtype)))
    cli.enable_amp(cfg)
    assert cfg.optim_wrapper.loss_scale == scale


def test_a_given_scale_is_kept(monkeypatch):
    monkeypatch.setattr(ACCELERATOR, lambda: True)
    cfg = Config(
        dict(optim_wrapper=dict(dtype='bfloat16', loss_scale=512.)))
    cli.enable_amp(cfg)
    assert cfg.optim_wrapper.loss_scale == 512.

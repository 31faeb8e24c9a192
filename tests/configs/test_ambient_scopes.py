# Copyright (c) mic_mm authors. All rights reserved.
"""A library on top of MMDetection keeps its own ``default_scope``.

MMYOLO and MMRotate are such libraries: their configs name the types of
MMDetection with the prefix ``mmdet.`` and their own without.
"""
from pathlib import Path

import mmengine.registry
import pytest
from mmengine.config import Config
from mmengine.registry import Registry

from mic_mm.testing.few_digits import write_few_digits
from mic_mm.testing.short_runs import shorten, train_config

pytest.importorskip('mmdet')

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'det/digits/mic_tiny-fcos_1xb16-600_optdigits_mnist5k.py'
SCOPE = 'my_yolo'


@pytest.fixture
def library():
    """The registry of models of the library, with a head of its own."""
    from mmdet.models import FCOSHead
    models = Registry('model', parent=mmengine.registry.MODELS, scope=SCOPE)

    @models.register_module()
    class MyHead(FCOSHead):
        pass

    yield models
    del mmengine.registry.MODELS._children[SCOPE]


def prefixed(cfg, prefix):
    """All types of a config with a prefix, as such libraries write them."""
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(prefixed(item, prefix) for item in cfg)
    if not isinstance(cfg, dict):
        return cfg
    cfg = {key: prefixed(value, prefix) for key, value in cfg.items()}
    if 'type' in cfg and cfg['type'] not in ('BN', 'nms'):
        cfg['type'] = f'{prefix}.{cfg["type"]}'
    return cfg


def test_a_detector_of_another_library_is_adapted(library, tmp_path,
                                                  monkeypatch):
    monkeypatch.chdir(
        write_few_digits(ROOT / 'tools' / 'dataset_converters', tmp_path,
                         ['det']))
    cfg = shorten(
        Config.fromfile(ROOT / 'configs' / CONFIG),
        tmp_path / 'out',
        options={
            'model.objectives.mic.begin': 0,
            'default_scope': SCOPE
        })
    # The data sets say their scope themselves.
    detector = prefixed(cfg.model.detector.to_dict(), 'mmdet')
    detector['bbox_head'].update(
        type='MyHead',
        bbox_coder=dict(type='mmdet.DistancePointBBoxCoder'))
    cfg.model.detector = detector
    built = []
    init = library.get('MyHead').__init__
    monkeypatch.setattr(
        library.get('MyHead'), '__init__',
        lambda self, *args, **kwargs: built.append(self) or init(
            self, *args, **kwargs))
    logged = train_config(cfg)
    assert len(built) == 1
    assert logged['source.loss_cls'] > 0
    assert any(key.startswith('mic.') for key in logged)

# Copyright (c) mic_mm authors. All rights reserved.
"""Weights that a config for own data starts from."""
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from test_new_uda_config import arguments, images, refused, written  # noqa: F401

pytest.importorskip('mmpretrain')

from mic_mm.registry import MODELS  # noqa: E402
from mic_mm.utils.new_config import command_line, read_base  # noqa: E402
from mic_mm.utils.new_config.initial_weights import published_weights  # noqa: E402

SMALL = 'mmpretrain::mobilenet_v3/mobilenet-v3-small-050_8xb128_in1k.py'


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    return model


def test_weights_are_those_of_the_metafile():
    address = published_weights(
        read_base('mmpretrain::resnet/resnet50_8xb32_in1k.py', 'cls'))
    assert address.startswith('https://') and address.endswith('.pth')
    assert 'resnet50_8xb32_in1k' in address


def test_backbone_starts_from_the_published_weights(
        images, capsys):  # noqa: F811
    (images / 'nets').mkdir()
    (images / 'nets' / 'net.py').write_text(f'_base_ = {SMALL!r}')
    (images / 'nets' / 'metafile.yml').write_text(
        'Models:\n  - Name: net\n    Config: configs/nets/net.py\n'
        f'    Weights: {images}/net.pth\n')
    stock = build(Config.fromfile(str(images / 'nets' / 'net.py')).model)
    torch.save(dict(state_dict=stock.state_dict()), images / 'net.pth')
    cfg = written('cls', '--base', 'nets/net.py', '--size', '32')
    assert f'starts from {images}/net.pth' in capsys.readouterr().out
    student = build(cfg.model).student
    expected = stock.backbone.state_dict()
    for name, value in student.backbone.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_base_without_weights_is_told(images, capsys):  # noqa: F811
    (images / 'net.py').write_text(f'_base_ = {SMALL!r}')
    path = command_line.write_config(arguments('cls', '--base', 'net.py'))
    assert 'starts from scratch' in capsys.readouterr().out
    assert '# classifier.backbone.init_cfg = dict(' in path.read_text()


def test_from_scratch(images, capsys):  # noqa: F811
    cfg = written('cls', '--base', SMALL, '--no-pretrained')
    assert 'starts from scratch' in capsys.readouterr().out
    assert 'Pretrained' not in str(cfg.model.classifier)


def test_losses_of_mixed_labels_are_replaced(images):  # noqa: F811
    cfg = written(
        'cls', '--base',
        'mmpretrain::resnet/resnet50_8xb256-rsb-a3-100e_in1k.py')
    assert cfg.model.classifier.head.loss.to_dict() == dict(
        type='CrossEntropyLoss')


def test_distillation_is_off(images):  # noqa: F811
    cfg = written('cls', '--base', 'mmpretrain::levit/levit-128_8xb256_in1k.py')
    assert cfg.model.classifier.head.distillation is False


def test_bases_that_import_their_parts_are_refused(images):  # noqa: F811
    assert 'imports its parts' in refused(
        'cls', '--base', 'mmpretrain::replknet/replknet-31B_32xb64_in1k.py')


def test_list_of_evaluators_is_replaced(images):  # noqa: F811
    cfg = written('cls', '--base',
                  'mmpretrain::arcface/resnet50-arcface_8xb32_inshop.py')
    assert cfg.val_evaluator.type == 'mic_mm.PerClassAccuracy'

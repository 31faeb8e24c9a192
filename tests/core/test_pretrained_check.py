# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

pytest.importorskip('mmpretrain')

from mic_mm.registry import MODELS  # noqa: E402
from mic_mm.testing.models import tiny_classifier  # noqa: E402


def build(checkpoint, **init_cfg):
    classifier = tiny_classifier()
    classifier['backbone']['init_cfg'] = dict(
        type='Pretrained', checkpoint=str(checkpoint), **init_cfg)
    return MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=classifier,
            objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))


@pytest.fixture
def weights():
    """Random weights of the backbone."""
    backbone = build('unused').student.backbone
    return {key: torch.rand_like(value) if value.is_floating_point() else value
            for key, value in backbone.state_dict().items()}


@pytest.fixture
def saved(tmp_path):

    def save(weights):
        path = tmp_path / 'weights.pth'
        torch.save(dict(state_dict=weights), path)
        return path

    return save


@pytest.mark.parametrize('kept', ['all', 'without the stem'])
def test_fitting_weights_are_loaded(weights, saved, kept):
    if kept != 'all':
        weights = {k: v for k, v in weights.items() if 'conv1' not in k[:5]}
    model = build(saved(weights))
    model.init_weights()
    loaded = model.student.backbone.state_dict()
    assert all(torch.equal(loaded[key], value)
               for key, value in weights.items())


def test_a_part_of_a_model_is_loaded_by_its_prefix(weights, saved):
    path = saved({f'backbone.{key}': v for key, v in weights.items()})
    with pytest.raises(ValueError, match='backbone: only 0 of.*prefix='):
        build(path).init_weights()
    model = build(path, prefix='backbone.')
    model.init_weights()
    name, value = next(iter(weights.items()))
    assert torch.equal(model.student.backbone.state_dict()[name], value)


def test_weights_of_another_model_are_refused(weights, saved):
    first, *_ = weights
    path = saved({'blocks.0.weight': torch.ones(2), first: weights[first]})
    with pytest.raises(ValueError, match=r'only 1 of \d+ .*blocks.0.weight'):
        build(path).init_weights()


def test_weights_of_another_width_are_refused(weights, saved):
    path = saved({k: v.repeat_interleave(2, 0) if v.dim() else v
                  for k, v in weights.items()})
    with pytest.raises(ValueError, match='only 0 of'):
        build(path).init_weights()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth.*init_cfg=None'):
        build(tmp_path / 'none.pth').init_weights()


def test_an_address_that_cannot_be_reached_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    # Nothing listens on port 1, and no name has to be resolved.
    with pytest.raises(ConnectionError) as told:
        build('http://127.0.0.1:1/weights.pth').init_weights()
    message = str(told.value)
    assert 'backbone: http://127.0.0.1:1/weights.pth cannot be' in message
    assert str(tmp_path / 'checkpoints') in message
    assert 'init_cfg=None' in message

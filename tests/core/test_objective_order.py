# Copyright (c) mic_mm authors. All rights reserved.
"""A config that MMEngine has written to a file trains the same model."""
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor

pytest.importorskip('mmseg')


def config():
    segmentor = tiny_segmentor()
    segmentor['decode_head']['dropout_ratio'] = 0.5  # global generator
    mask = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
    return Config(
        dict(
            model=dict(
                type='mic_mm.UDASegmentor',
                segmentor=segmentor,
                teacher=dict(type='mic_mm.EMATeacher'),
                objectives=dict(
                    source=dict(
                        type='mic_mm.SegSourceSupervision', keep_logits=True),
                    self_training=dict(
                        type='mic_mm.ClassMixSelfTraining',
                        pseudo_threshold=0.1),
                    adversarial=dict(type='mic_mm.OutputSpaceAlignment'),
                    mic=dict(type='mic_mm.MaskedConsistency', mask=mask)))))


def train(cfg):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model).train()
    model.init_weights()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    batch = dict(source=seg_batch(0), target=without_labels(seg_batch(1)))
    for _ in range(2):
        model.update_teachers()
        model.train_step(batch, optimizer)
    return model


def test_order_of_the_entries_does_not_count(tmp_path):
    cfg = config()
    cfg.dump(tmp_path / 'dumped.py')
    dumped = Config.fromfile(tmp_path / 'dumped.py')
    assert list(dumped.model.objectives) != list(cfg.model.objectives)
    model, again = train(cfg), train(dumped)
    assert list(model.objectives) == list(again.objectives) == [
        'source', 'adversarial', 'self_training', 'mic']
    weights, others = model.state_dict(), again.state_dict()
    assert weights.keys() == others.keys()
    assert all(weights[key].equal(others[key]) for key in weights)

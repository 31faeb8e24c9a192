# Copyright (c) mic_mm authors. All rights reserved.
"""With the source objective alone, training equals the stock library's."""
import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing import batches, models

TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor', models.tiny_segmentor),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier',
            models.tiny_classifier),
    'det': ('mmdet', 'UDADetector', 'detector', models.tiny_detector),
}
STEPS = 5


def with_dropout(task, cfg):
    """Make the model draw from the global generator while it trains."""
    cfg = copy.deepcopy(cfg)
    if task == 'seg':
        cfg['decode_head']['dropout_ratio'] = 0.5
    if task == 'cls':
        cfg['backbone'] = dict(
            type='VisionTransformer',
            arch=dict(
                embed_dims=8,
                num_layers=2,
                num_heads=2,
                feedforward_channels=8),
            img_size=32,
            patch_size=8,
            drop_rate=0.5,
            drop_path_rate=0.5,
            out_type='cls_token')
        cfg['neck'] = None
    return cfg  # the detector draws in its box samplers


def train(model, optim_wrapper, data):
    losses = []
    torch.manual_seed(1)
    for batch in data:
        model.train()
        losses.append(model.train_step(copy.deepcopy(batch), optim_wrapper))
    return losses


@pytest.mark.parametrize('task', sorted(TASKS))
@pytest.mark.parametrize('paired', [False, True])
def test_source_only_equals_the_stock_library_bit_for_bit(task, paired):
    scope, wrapper, key, make = TASKS[task]
    cfg = with_dropout(task, make())
    optim_cfg = dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.05),
        clip_grad=dict(max_norm=1.),
        paramwise_cfg=dict(
            norm_decay_mult=0.,
            custom_keys={'head': dict(lr_mult=10.)}))
    source = [
        getattr(batches, f'{task}_batch')(seed) for seed in range(STEPS)
    ]
    with DefaultScope.overwrite_default_scope(scope):
        torch.manual_seed(0)
        stock = MODELS.build(ConfigDict(cfg))
        torch.manual_seed(0)
        adapted = MODELS.build({
            'type': f'mic_mm.{wrapper}',
            key: cfg,
            'objectives': dict(source=dict(type='mic_mm.SourceSupervision'))
        })
        stock_optim = build_optim_wrapper(stock, copy.deepcopy(optim_cfg))
        adapted_optim = build_optim_wrapper(
            adapted,
            dict(
                copy.deepcopy(optim_cfg),
                constructor='mic_mm.UDAOptimWrapperConstructor'))
        stock_losses = train(stock, stock_optim, source)
        data = source
        if paired:
            data = [
                dict(source=batch, target=batches.without_labels(batch))
                for batch in source
            ]
        adapted_losses = train(adapted, adapted_optim, data)
    for ours, theirs in zip(adapted_losses, stock_losses):
        for name, value in theirs.items():
            mine = ours['loss' if name == 'loss' else f'source.{name}']
            assert torch.equal(mine, value.detach()), name
    expected = stock.state_dict()
    actual = adapted.student.state_dict()
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(actual[name], value), name

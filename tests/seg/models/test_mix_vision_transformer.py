# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch

from mic_mm.registry import MODELS
from mic_mm.seg.checkpoints.original_config import convert_backbone
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import load_golden_weights


def _recorded_backbone(case, **options):
    model = MODELS.build({**convert_backbone(case.config), **options})
    load_golden_weights(model, case)
    return model.eval()


def _assert_stages(case, model):
    images = case.names('image?')
    assert images
    for image in images:
        with torch.no_grad():
            stages = model(torch.from_numpy(case[image]))
        names = case.names(f'{image}_stage*')
        assert len(stages) == len(names)
        for name, stage in zip(sorted(names), stages):
            case.assert_within(name, stage)


@pytest.mark.golden
@pytest.mark.parametrize('fused_attention', [True, False])
def test_stages_equal_the_original__seg_case08(fused_attention):
    case = load_golden('seg', 'case08')
    _assert_stages(
        case, _recorded_backbone(case, fused_attention=fused_attention))


@pytest.mark.golden
def test_one_epsilon_for_all_norms_is_told_apart__seg_case08():
    case = load_golden('seg', 'case08')
    model = _recorded_backbone(
        case, patch_norm_eps=1e-6, reduction_norm_eps=1e-6)
    with pytest.raises(AssertionError):
        _assert_stages(case, model)


def test_stock_weights_load_unchanged():
    cfg = dict(
        embed_dims=4,
        num_layers=[1, 1, 1, 1],
        num_heads=[1, 2, 5, 8],
        sr_ratios=[8, 4, 2, 1])
    stock = MODELS.build(dict(type='mmseg.MixVisionTransformer', **cfg))
    ours = MODELS.build(
        dict(
            type='mic_mm.MixVisionTransformer',
            patch_norm_eps=1e-6,
            reduction_norm_eps=1e-6,
            **cfg))
    ours.load_state_dict(stock.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for expected, stage in zip(stock.eval()(images), ours.eval()(images)):
        torch.testing.assert_close(stage, expected, rtol=1e-4, atol=1e-5)


def _attention_maps(model, images):
    maps = []
    attention = model.layers[0][1][0].attn.attn
    handle = attention.register_forward_hook(lambda *args: maps.append(args[-1][1]))
    with torch.no_grad():
        stages = model(images)
    handle.remove()
    return maps[0], stages


def test_attention_as_in_the_library_equals_the_fused_one():
    model = MODELS.build(
        dict(
            type='mic_mm.MixVisionTransformer',
            embed_dims=4,
            num_layers=[1, 1, 1, 1],
            num_heads=[1, 2, 5, 8],
            sr_ratios=[8, 4, 2, 1]))
    teacher = copy.deepcopy(model)
    images = torch.randn(2, 3, 64, 64)
    none, fused = _attention_maps(model, images)
    with model.as_in_library():
        kept, stages = _attention_maps(model, images)
        # a copy has a switch of its own
        assert _attention_maps(teacher, images)[0] is None
    assert none is None and kept is not None
    assert _attention_maps(model, images)[0] is None
    for one, other in zip(fused, stages):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

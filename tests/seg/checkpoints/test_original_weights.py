# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.seg.checkpoints import convert_model_config, convert_weights, select_branch
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import (
    build_golden_segmentor,
    build_segmentor,
    golden_segmentor,
    golden_weights,
    in_original_names,
    original_arrays,
    tiny_daformer,
)
from mic_mm.utils.strict_loading import load_strictly


def random_originals():
    """Random weights of a tiny segmentor under the original's names."""
    model = build_segmentor(tiny_daformer())
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in model.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    return model, weights, in_original_names(weights)


@pytest.mark.golden
@pytest.mark.parametrize('identifier, group', [
    ('case10_hrda', 'weights/'),
    ('case11_daformer_inputs', 'student/'),
    ('case11_hrda_inputs', 'student/'),
    ('case12_inputs', 'student/'),
])
def test_complete_networks_find_a_place_for_all_weights__seg(
        identifier, group):
    case = load_golden('seg', identifier)
    model = golden_segmentor(case, group)  # strict
    ours = in_original_names({
        name: value
        for name, value in model.state_dict().items()
        if not name.endswith('num_batches_tracked')
    })
    originals = original_arrays(case, group)
    assert set(ours) == set(originals)
    for name, value in originals.items():
        torch.testing.assert_close(ours[name], value, rtol=0, atol=0)


@pytest.mark.golden
@pytest.mark.parametrize('identifier',
                         ['case11_daformer_inputs', 'case11_hrda_inputs'])
def test_imagenet_backbone_fits__seg_case11(identifier):
    case = load_golden('seg', identifier)
    backbone = build_golden_segmentor(case).backbone
    weights = {
        name.removeprefix('backbone.'): value
        for name, value in golden_weights(case, 'imnet/').items()
    }
    load_strictly(backbone, weights)
    name = next(iter(weights))
    assert torch.equal(backbone.state_dict()[name], weights[name])


def test_conversion_inverts_the_originals_names():
    _, weights, originals = random_originals()
    assert 'backbone.block3.0.attn.kv.weight' in originals
    assert originals['backbone.block3.0.attn.q.weight'].shape == (20, 20)
    assert originals['backbone.block3.0.mlp.fc1.weight'].shape == (80, 20)
    converted = convert_weights(originals)
    assert set(converted) == set(weights)
    for name, value in weights.items():
        assert torch.equal(converted[name], value)


def test_queries_keys_and_values_keep_their_places():
    parts = {
        kind: torch.full((width, 4), fill)
        for kind, width, fill in (('q', 4, 1.), ('kv', 8, 2.))
    }
    parts['kv'][4:] = 3.
    converted = convert_weights(
        {f'block2.11.attn.{k}.weight': v
         for k, v in parts.items()})
    merged, = converted.values()
    assert list(converted) == ['layers.1.1.11.attn.attn.in_proj_weight']
    assert merged[::4, 0].tolist() == [1., 2., 3.]


@pytest.mark.parametrize('kept, missing', [('q', 'kv'), ('kv', 'q')])
def test_half_an_attention_is_refused(kept, missing):
    with pytest.raises(ValueError, match=rf'no .*attn\.{missing}\.bias'):
        convert_weights({f'block1.0.attn.{kept}.bias': torch.zeros(4)})


@pytest.mark.parametrize('names', [
    'backbone.layer1.0.conv1.weight backbone.stem.0.weight',
    'decode_head.head.embed_layers.0.proj.weight decode_head.conv_seg.bias',
    'decode_head.norm1x.weight',
])
def test_other_names_stay(names):
    weights = {name: torch.zeros(2, 2) for name in names.split()}
    assert list(convert_weights(weights)) == names.split()


def branches():
    return {
        'model.backbone.a': torch.tensor(1),
        'model.decode_head.b': torch.tensor(2),
        'ema_model.backbone.a': torch.tensor(3),
        'imnet_model.backbone.a': torch.tensor(4),
        'imnet_model.decode_head.b': torch.tensor(5),
        'mic.teacher.ema_model.backbone.a': torch.tensor(6),
        'model_D.main.0.weight': torch.tensor(7),
    }


@pytest.mark.parametrize('branch, expected', [
    ('student', {'backbone.a': 1, 'decode_head.b': 2}),
    ('teacher', {'backbone.a': 3}),
    ('mic_teacher', {'backbone.a': 6}),
    ('imagenet', {'backbone.a': 4}),
])
def test_branches_of_a_training_checkpoint(branch, expected):
    weights = {f'module.{name}': v for name, v in branches().items()}
    for state_dict in (branches(), weights):
        selected = select_branch(state_dict, branch)
        assert {n: int(v) for n, v in selected.items()} == expected


def test_the_only_teacher_is_the_teacher():
    state_dict = branches()
    del state_dict['ema_model.backbone.a']
    assert select_branch(state_dict, 'teacher')['backbone.a'] == 6


def test_a_bare_segmentor_is_a_student():
    bare = {'backbone.a': torch.tensor(1), 'decode_head.b': torch.tensor(2)}
    assert select_branch(bare) == bare


def test_a_missing_branch_is_named():
    with pytest.raises(ValueError, match=r"'imagenet'.*are \['student'\]"):
        select_branch({'model.backbone.a': torch.tensor(1)}, 'imagenet')
    with pytest.raises(ValueError, match="branch='ema' is unknown"):
        select_branch(branches(), 'ema')


def test_strict_loading_lists_every_problem():
    model, weights, _ = random_originals()
    missing, reshaped = list(weights)[:2]
    del weights[missing]
    weights[reshaped] = torch.zeros(1, 1)
    weights['decode_head.extra'] = torch.zeros(1)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    with pytest.raises(ValueError) as error:
        load_strictly(model, weights, 'a.pth')
    for part in ('a.pth', '1 weights left over:\n  decode_head.extra',
                 f'1 weights not set:\n  {missing}', f'{reshaped}: (1, 1)'):
        assert part in str(error.value)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


PUBLISHED_HRDA = dict(
    type='MultiResEncoderDecoder',
    pretrained='pretrained/mit_b5.pth',
    scales=[1, 0.5],
    hr_crop_size=[512, 512],
    feature_scale=0.5,
    crop_coord_divisible=8,
    hr_slide_inference=True,
    backbone=dict(type='mit_b5', style='pytorch', ema_drop_path_rate=0.1),
    decode_head=dict(
        type='MultiResAttentionWrapper',
        single_scale_head='UniHead',
        in_channels=[64, 128, 320, 512],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        decoder_params=dict(
            embed_dims=256,
            embed_cfg=dict(type='mlp', act_cfg=None, norm_cfg=None),
            embed_neck_cfg=dict(type='mlp', act_cfg=None, norm_cfg=None),
            fusion_cfg=dict(
                type='aspp',
                sep=True,
                dilations=[1, 6, 12, 18],
                pool=False,
                fusion='x')),
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
        attention_embed_dim=256,
        attention_classwise=True,
        hr_loss_weight=0.1),
    test_cfg=dict(
        mode='slide',
        batched_slide=True,
        stride=[512, 512],
        crop_size=[1024, 1024]))


def test_config_of_the_first_release_of_hrda():
    cfg = convert_model_config(PUBLISHED_HRDA)
    assert cfg['type'] == 'mic_mm.HRDAEncoderDecoder'
    assert cfg['backbone']['num_layers'] == [3, 6, 40, 3]
    assert cfg['hr_crop_size'] == (512, 512)
    head = cfg['decode_head']
    assert head['type'] == 'mic_mm.HRDAHead'
    assert head['single_scale_head']['type'] == 'mic_mm.DAFormerHead'
    assert head['single_scale_head']['fusion'] == dict(
        type='mic_mm.ASPPFusion',
        separable=True,
        dilations=(1, 6, 12, 18),
        pool=False)
    assert cfg['test_cfg']['batched_slide'] is True


def test_published_networks_have_their_published_size():
    hrda = build_segmentor(convert_model_config(PUBLISHED_HRDA))
    attention = hrda.decode_head.scale_attention

    def millions(module):
        return sum(p.numel() for p in module.parameters()) / 1e6

    # 85.7 million; DAFormer, 85.2 million, is HRDA without the attention
    assert millions(hrda) == pytest.approx(85.7, abs=0.05)
    assert millions(hrda) - millions(attention) == pytest.approx(
        85.2, abs=0.05)


@pytest.mark.parametrize('path, message', [
    (('type', ), r"model.type='X'"),
    (('backbone', 'type'), r"model.backbone.type='X'"),
    (('decode_head', 'type'), r"model.decode_head.type='X'"),
    (('decode_head', 'decoder_params', 'fusion_cfg', 'type'), r"type='X'"),
])
def test_unknown_types_are_named(path, message):
    cfg = copied(PUBLISHED_HRDA)
    *parents, key = path
    part = cfg
    for parent in parents:
        part = part[parent]
    part[key] = 'X'
    with pytest.raises(ValueError, match=message):
        convert_model_config(cfg)


def copied(cfg):
    return {k: copied(v) if isinstance(v, dict) else v for k, v in cfg.items()}

# Copyright (c) mic_mm authors. All rights reserved.
"""Model configs of the original code as configs of MMSegmentation 1.x."""
from __future__ import annotations

from collections.abc import Callable, Mapping

_IMAGENET = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
_MIT = dict(
    num_heads=[1, 2, 5, 8],
    sr_ratios=[8, 4, 2, 1],
    qkv_bias=True,
    drop_path_rate=0.1)
_MIT_DEPTHS = {
    'mit_b0': [2, 2, 2, 2],
    'mit_b1': [2, 2, 2, 2],
    'mit_b2': [3, 4, 6, 3],
    'mit_b3': [3, 4, 18, 3],
    'mit_b4': [3, 8, 27, 3],
    'mit_b5': [3, 6, 40, 3],
}
# names of the first releases of DAFormer and HRDA -> later names
_LEGACY = {
    'UniHead': 'DAFormerHead',
    'MultiResEncoderDecoder': 'HRDAEncoderDecoder',
    'MultiResAttentionWrapper': 'HRDAHead',
}
_HRDA_OPTIONS = ('scales', 'hr_crop_size', 'feature_scale',
                 'crop_coord_divisible', 'hr_slide_inference',
                 'hr_slide_overlapping', 'blur_hr_crop')
_HRDA_HEAD_DEFAULTS = dict(hr_loss_weight=0., lr_loss_weight=0.)
_HRDA_HEAD_OPTIONS = ('attention_classwise', 'fixed_attention',
                      'hr_loss_weight', 'lr_loss_weight')
_HEAD_OPTIONS = ('num_classes', 'align_corners', 'loss_decode',
                 'ignore_index')


def convert_model_config(model: Mapping) -> dict:
    """The ``model`` section of an original config, for MMSegmentation 1.x.

    Args:
        model (Mapping): ``model`` of a config of MIC, HRDA or DAFormer: Mix
            Transformer or ResNetV1c, DAFormer or DeepLabV2 head, with or
            without HRDA. It is not changed.

    Returns:
        dict: Config of an ``EncoderDecoder`` or
        ``mic_mm.HRDAEncoderDecoder``, without pretrained weights.

    Raises:
        ValueError: If a type is none of these.
    """
    name = _type(model)
    if name not in ('EncoderDecoder', 'HRDAEncoderDecoder'):
        raise ValueError(f'model.type={model.get("type")!r} is no segmentor '
                         'of MIC: EncoderDecoder or HRDAEncoderDecoder.')
    converted = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            bgr_to_rgb=True,
            pad_val=0,
            seg_pad_val=255,
            size_divisor=1,
            **_IMAGENET),
        backbone=convert_backbone(model['backbone']),
        decode_head=convert_head(model['decode_head']),
        train_cfg=dict(),
        test_cfg=dict(model.get('test_cfg') or dict(mode='whole')))
    if name == 'HRDAEncoderDecoder':
        converted['type'] = 'mic_mm.HRDAEncoderDecoder'
        converted['crop_coord_divisible'] = 1  # the default of the original
        converted.update(_picked(model, _HRDA_OPTIONS))
    return converted


def _type(cfg: Mapping) -> str:
    return _LEGACY.get(cfg['type'], cfg['type'])


def _picked(cfg: Mapping, names: tuple[str, ...]) -> dict:
    return {
        name: tuple(cfg[name]) if isinstance(cfg[name], list) else cfg[name]
        for name in names if name in cfg
    }


def convert_backbone(cfg: Mapping) -> dict:
    """The backbone; see :func:`convert_model_config`."""
    name = cfg['type']
    if name in _MIT_DEPTHS:
        return dict(
            type='mic_mm.MixVisionTransformer',
            embed_dims=32 if name == 'mit_b0' else 64,
            num_layers=_MIT_DEPTHS[name],
            **{**_MIT, **_picked(cfg, ('drop_path_rate', ))})
    if name == 'MixVisionTransformer':
        return _tiny_mix_transformer(cfg)
    if name.startswith('ResNet'):
        return {k: v for k, v in cfg.items() if k != 'pretrained'}
    raise ValueError(
        f'model.backbone.type={name!r} is unknown; MIC uses a Mix '
        f'Transformer ({", ".join(_MIT_DEPTHS)}) or ResNetV1c.')


def _tiny_mix_transformer(cfg: Mapping) -> dict:
    width = cfg['embed_dims'][0] // cfg['num_heads'][0]
    if [width * n for n in cfg['num_heads']] != list(cfg['embed_dims']):
        raise ValueError(
            f'model.backbone: embed_dims={cfg["embed_dims"]} are no multiple '
            f'of num_heads={cfg["num_heads"]}, which MMSegmentation needs.')
    return dict(
        type='mic_mm.MixVisionTransformer',
        embed_dims=width,
        num_layers=list(cfg['depths']),
        num_heads=list(cfg['num_heads']),
        sr_ratios=list(cfg['sr_ratios']),
        mlp_ratio=cfg['mlp_ratios'][0],
        qkv_bias=cfg['qkv_bias'],
        drop_path_rate=cfg['drop_path_rate'])


def convert_head(cfg: Mapping) -> dict:
    """The decode head; see :func:`convert_model_config`."""
    name = _type(cfg)
    if name == 'HRDAHead':
        return _hrda_head(cfg)
    if name not in _HEADS:
        raise ValueError(f'model.decode_head.type={cfg["type"]!r} is unknown; '
                         f'MIC uses {list(_HEADS)} or HRDAHead.')
    return dict(_HEADS[name](cfg), **_picked(cfg, _HEAD_OPTIONS))


def _hrda_head(cfg: Mapping) -> dict:
    single = cfg['single_scale_head']
    head = dict(
        type='mic_mm.HRDAHead',
        single_scale_head=convert_head({
            **cfg, 'type': _LEGACY.get(single, single)
        }),
        **{**_HRDA_HEAD_DEFAULTS, **_picked(cfg, _HRDA_HEAD_OPTIONS)})
    if single != 'DLV2Head' and 'attention_embed_dim' in cfg:
        head['attention_channels'] = cfg['attention_embed_dim']
    return head


def _daformer_head(cfg: Mapping) -> dict:
    decoder = cfg['decoder_params']
    embed, neck = decoder['embed_cfg'], decoder['embed_neck_cfg']
    return dict(
        type='mic_mm.DAFormerHead',
        embed_channels=decoder['embed_dims'],
        embed=_layer(embed),
        neck=_layer(embed if neck == 'same_as_embed_cfg' else neck),
        fusion=_layer(decoder['fusion_cfg']),
        **_picked(cfg, ('in_channels', 'in_index', 'channels',
                        'dropout_ratio', 'norm_cfg')))


def _dlv2_head(cfg: Mapping) -> dict:
    return dict(
        type='mic_mm.DLV2Head',
        **_picked(cfg, ('in_channels', 'in_index', 'dilations')))


def _layer(cfg: Mapping) -> dict:
    name = cfg['type']
    if name not in _LAYERS:
        raise ValueError(f'The layer type={name!r} of decoder_params is '
                         f'unknown; choose one of {list(_LAYERS)}.')
    new_name, options = _LAYERS[name]
    layer = dict(type=new_name, **_picked(cfg, options))
    if 'sep' in layer:
        layer['separable'] = layer.pop('sep')
    return layer


_HEADS: dict[str, Callable[[Mapping], dict]] = {
    'DAFormerHead': _daformer_head,
    'DLV2Head': _dlv2_head,
}
_LAYERS = {
    'mlp': ('mic_mm.LinearEmbedding', ()),
    'conv': ('mic_mm.ConvFusion', ('kernel_size', )),
    'aspp': ('mic_mm.ASPPFusion', ('sep', 'dilations', 'pool')),
    'isa': ('mic_mm.ISAFusion', ('isa_channels', 'down_factor')),
}

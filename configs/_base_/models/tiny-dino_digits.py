# A small DINO for 64x64 pixels, trained from scratch: the backbone of
# tiny-fcos_digits.py, two layers each of encoder and decoder, 20 queries.
# MMDetection 3.3.0, the last official release, cannot build it: there DINO has 256
# channels. onedl-mmdetection can.
_norm = dict(type='BN', requires_grad=True)
_deformable = dict(embed_dims=64, num_heads=4, num_levels=2, dropout=0.0)
_ffn = dict(embed_dims=64, feedforward_channels=128, ffn_drop=0.0)
model = dict(
    type='DINO',
    num_queries=20,
    num_feature_levels=2,
    with_box_refine=True,
    as_two_stage=True,
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[64.0, 64.0, 64.0],
        bgr_to_rgb=True,
        pad_size_divisor=1),
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(1, 2),
        norm_cfg=_norm,
        norm_eval=False),
    neck=dict(
        type='ChannelMapper',
        in_channels=[64, 128],
        out_channels=64,
        kernel_size=1,
        act_cfg=None,
        norm_cfg=dict(type='GN', num_groups=8),
        num_outs=2),
    encoder=dict(
        num_layers=2,
        layer_cfg=dict(self_attn_cfg=_deformable, ffn_cfg=_ffn)),
    decoder=dict(
        num_layers=2,
        return_intermediate=True,
        layer_cfg=dict(
            self_attn_cfg=dict(embed_dims=64, num_heads=4, dropout=0.0),
            cross_attn_cfg=_deformable,
            ffn_cfg=_ffn),
        post_norm_cfg=None),
    positional_encoding=dict(
        num_feats=32, normalize=True, offset=0.0, temperature=20),
    bbox_head=dict(
        type='DINOHead',
        num_classes=10,
        embed_dims=64,
        sync_cls_avg_factor=True,
        loss_cls=dict(
            type='FocalLoss',
            use_sigmoid=True,
            gamma=2.0,
            alpha=0.25,
            loss_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=5.0),
        loss_iou=dict(type='GIoULoss', loss_weight=2.0)),
    dn_cfg=dict(
        label_noise_scale=0.5,
        box_noise_scale=1.0,
        group_cfg=dict(dynamic=True, num_groups=None, num_dn_queries=20)),
    train_cfg=dict(
        assigner=dict(
            type='HungarianAssigner',
            match_costs=[
                dict(type='FocalLossCost', weight=2.0),
                dict(type='BBoxL1Cost', weight=5.0, box_format='xywh'),
                dict(type='IoUCost', iou_mode='giou', weight=2.0)
            ])),
    test_cfg=dict(max_per_img=20))

# Copyright (c) mic_mm authors. All rights reserved.
"""Further detectors of MMDetection, small enough to train in a test."""
from __future__ import annotations

from mmengine.utils import digit_version

from .models import focal_loss, tiny_detector, tiny_one_stage_detector


def tiny_retinanet(num_classes: int = 4) -> dict:
    """An MMDetection ``RetinaNet`` on a narrow ResNet-18, without batch norm."""
    two_stage = tiny_detector(num_classes, norm='GN')
    return dict(
        type='RetinaNet',
        data_preprocessor=two_stage['data_preprocessor'],
        backbone=two_stage['backbone'],
        neck=two_stage['neck'],
        bbox_head=dict(
            type='RetinaHead',
            num_classes=num_classes,
            in_channels=8,
            feat_channels=8,
            stacked_convs=1,
            anchor_generator=dict(
                type='AnchorGenerator',
                scales=[2],
                ratios=[0.5, 1.0],
                strides=[8, 16]),
            bbox_coder=two_stage['rpn_head']['bbox_coder'],
            loss_cls=focal_loss(),
            loss_bbox=dict(type='L1Loss', loss_weight=1.0)),
        train_cfg=dict(
            assigner=two_stage['train_cfg']['rpn']['assigner'],
            sampler=dict(type='PseudoSampler'),
            allowed_border=-1,
            pos_weight=-1),
        test_cfg=dict(
            nms_pre=50,
            min_bbox_size=0,
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=10))


def dino_has_any_width() -> bool:
    """Whether ``DINO`` can be built with other widths than 256.

    MMDetection 3.3.0, the last official release, encodes the boxes of queries
    with 512 numbers whatever ``embed_dims`` is.
    """
    import mmdet
    return digit_version(mmdet.__version__) > digit_version('3.3.0')


def tiny_dino(num_classes: int = 4) -> dict:
    """An MMDetection ``DINO``, a detector of the DETR family."""
    two_stage = tiny_detector(num_classes, norm='GN')
    width = 16 if dino_has_any_width() else 256
    return dict(
        type='DINO',
        num_queries=10,
        num_feature_levels=2,
        with_box_refine=True,
        as_two_stage=True,
        data_preprocessor=two_stage['data_preprocessor'],
        backbone=two_stage['backbone'],
        neck=dict(
            type='ChannelMapper',
            in_channels=[8, 16],
            out_channels=width,
            kernel_size=1,
            act_cfg=None,
            norm_cfg=dict(type='GN', num_groups=4),
            num_outs=2),
        **_transformer(width),
        bbox_head=_dino_head(num_classes, width),
        dn_cfg=dict(
            label_noise_scale=0.5,
            box_noise_scale=1.0,
            group_cfg=dict(dynamic=True, num_groups=None, num_dn_queries=4)),
        train_cfg=dict(
            assigner=dict(
                type='HungarianAssigner',
                match_costs=[
                    dict(type='FocalLossCost', weight=2.0),
                    dict(type='BBoxL1Cost', weight=5.0, box_format='xywh'),
                    dict(type='IoUCost', iou_mode='giou', weight=2.0)
                ])),
        test_cfg=dict(max_per_img=10))


def _transformer(width: int) -> dict:
    """Encoder, decoder and encoding of positions."""
    deformable = dict(
        embed_dims=width, num_heads=2, num_levels=2, num_points=2, dropout=0.)
    attention = dict(embed_dims=width, num_heads=2, dropout=0.)
    ffn = dict(embed_dims=width, feedforward_channels=32, ffn_drop=0.)
    return dict(
        encoder=dict(
            num_layers=1,
            layer_cfg=dict(self_attn_cfg=deformable, ffn_cfg=ffn)),
        decoder=dict(
            num_layers=2,
            return_intermediate=True,
            layer_cfg=dict(
                self_attn_cfg=attention,
                cross_attn_cfg=deformable,
                ffn_cfg=ffn),
            post_norm_cfg=None),
        positional_encoding=dict(
            num_feats=width // 2, normalize=True, offset=0.0, temperature=20))


def _dino_head(num_classes: int, width: int) -> dict:
    return dict(
        type='DINOHead',
        num_classes=num_classes,
        embed_dims=width,
        sync_cls_avg_factor=True,
        loss_cls=focal_loss(),
        loss_bbox=dict(type='L1Loss', loss_weight=5.0),
        loss_iou=dict(type='GIoULoss', loss_weight=2.0))


DETECTORS = dict(
    faster_rcnn=tiny_detector,
    retinanet=tiny_retinanet,
    fcos=tiny_one_stage_detector,
    dino=tiny_dino)

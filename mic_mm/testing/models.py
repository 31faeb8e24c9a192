# Copyright (c) mic_mm authors. All rights reserved.
"""Configs of stock models, small enough to train on a CPU in a test."""
from __future__ import annotations

_NORM = dict(type='BN', requires_grad=True)
_IMAGENET_RGB = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def tiny_segmentor(num_classes: int = 4, norm: str = 'BN') -> dict:
    """An MMSegmentation ``EncoderDecoder`` of about 10 000 parameters.

    Args:
        num_classes (int): Number of classes. Defaults to 4.
        norm (str): ``'BN'`` or ``'GN'``; the latter has no batch statistics.
            Defaults to 'BN'.
    """
    norm_cfg = _NORM if norm == 'BN' else dict(
        type='GN', num_groups=2, requires_grad=True)
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            bgr_to_rgb=True,
            size=(32, 32),
            pad_val=0,
            seg_pad_val=255,
            **_IMAGENET_RGB),
        backbone=dict(
            type='ResNet',
            depth=18,
            stem_channels=8,
            base_channels=4,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(0, 1),
            norm_cfg=norm_cfg),
        decode_head=dict(
            type='FCNHead',
            in_channels=8,
            in_index=1,
            channels=8,
            num_convs=1,
            dropout_ratio=0.,
            num_classes=num_classes,
            norm_cfg=norm_cfg),
        auxiliary_head=dict(
            type='FCNHead',
            in_channels=4,
            in_index=0,
            channels=4,
            num_convs=1,
            dropout_ratio=0.,
            num_classes=num_classes,
            norm_cfg=norm_cfg,
            loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4)),
        test_cfg=dict(mode='whole'))


def tiny_classifier(num_classes: int = 4, norm: str = 'BN') -> dict:
    """An MMPretrain ``ImageClassifier`` of about 10 000 parameters."""
    norm_cfg = dict(type='BN') if norm == 'BN' else dict(
        type='GN', num_groups=2)
    return dict(
        type='ImageClassifier',
        data_preprocessor=dict(
            type='ClsDataPreprocessor',
            num_classes=num_classes,
            to_rgb=True,
            **_IMAGENET_RGB),
        backbone=dict(
            type='ResNet_CIFAR',
            depth=18,
            stem_channels=4,
            base_channels=4,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1, ),
            norm_cfg=norm_cfg),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead',
            num_classes=num_classes,
            in_channels=8,
            loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))


def tiny_detector(num_classes: int = 4, norm: str = 'BN') -> dict:
    """An MMDetection ``FasterRCNN`` on a narrow ResNet-18 with FPN."""
    norm_cfg = _NORM if norm == 'BN' else dict(
        type='GN', num_groups=2, requires_grad=True)
    return dict(
        type='FasterRCNN',
        data_preprocessor=dict(
            type='DetDataPreprocessor',
            bgr_to_rgb=True,
            pad_size_divisor=32,
            **_IMAGENET_RGB),
        backbone=dict(
            type='ResNet',
            depth=18,
            stem_channels=8,
            base_channels=4,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(1, 2),
            norm_cfg=norm_cfg,
            norm_eval=False),
        neck=dict(type='FPN', in_channels=[8, 16], out_channels=8, num_outs=2),
        rpn_head=_rpn_head(),
        roi_head=_roi_head(num_classes),
        train_cfg=_two_stage_train_cfg(),
        test_cfg=dict(
            rpn=_proposals(),
            rcnn=dict(
                score_thr=0.05,
                nms=dict(type='nms', iou_threshold=0.5),
                max_per_img=10)))


def tiny_one_stage_detector(num_classes: int = 4) -> dict:
    """An MMDetection ``FCOS`` on a narrow ResNet-18, without batch norm."""
    norm_cfg = dict(type='GN', num_groups=2, requires_grad=True)
    two_stage = tiny_detector(num_classes, norm='GN')
    return dict(
        type='FCOS',
        data_preprocessor=two_stage['data_preprocessor'],
        backbone=two_stage['backbone'],
        neck=two_stage['neck'],
        bbox_head=dict(
            type='FCOSHead',
            num_classes=num_classes,
            in_channels=8,
            feat_channels=8,
            stacked_convs=1,
            strides=[8, 16],
            regress_ranges=((-1, 16), (16, 1e8)),
            norm_cfg=norm_cfg,
            loss_cls=focal_loss(),
            loss_bbox=dict(type='IoULoss', loss_weight=1.0),
            loss_centerness=dict(
                type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0)),
        test_cfg=dict(
            nms_pre=50,
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=10))


def focal_loss() -> dict:
    """The focal loss of one-stage detectors and DINO, with its usual numbers."""
    return dict(
        type='FocalLoss',
        use_sigmoid=True,
        gamma=2.0,
        alpha=0.25,
        loss_weight=1.0)


def _rpn_head() -> dict:
    return dict(
        type='RPNHead',
        in_channels=8,
        feat_channels=8,
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[2],
            ratios=[0.5, 1.0],
            strides=[8, 16]),
        bbox_coder=_box_coder(),
        loss_cls=dict(
            type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=1.0))


def _roi_head(num_classes: int) -> dict:
    return dict(
        type='StandardRoIHead',
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=3, sampling_ratio=0),
            out_channels=8,
            featmap_strides=[8, 16]),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            in_channels=8,
            fc_out_channels=16,
            roi_feat_size=3,
            num_classes=num_classes,
            bbox_coder=_box_coder(),
            loss_cls=dict(type='CrossEntropyLoss', loss_weight=1.0),
            loss_bbox=dict(type='L1Loss', loss_weight=1.0)))


def _two_stage_train_cfg() -> dict:
    return dict(
        rpn=dict(
            assigner=_assigner(0.7, 0.3),
            sampler=_sampler(64, add_gt=False),
            allowed_border=-1,
            pos_weight=-1),
        rpn_proposal=_proposals(),
        rcnn=dict(
            assigner=_assigner(0.5, 0.5),
            sampler=_sampler(32, add_gt=True),
            pos_weight=-1))


def _proposals() -> dict:
    return dict(
        nms_pre=50,
        max_per_img=20,
        nms=dict(type='nms', iou_threshold=0.7),
        min_bbox_size=0)


def _box_coder() -> dict:
    return dict(
        type='DeltaXYWHBBoxCoder',
        target_means=[0., 0., 0., 0.],
        target_stds=[1., 1., 1., 1.])


def _assigner(positive: float, negative: float) -> dict:
    return dict(
        type='MaxIoUAssigner',
        pos_iou_thr=positive,
        neg_iou_thr=negative,
        min_pos_iou=min(positive, negative),
        ignore_iof_thr=-1)


def _sampler(num: int, add_gt: bool) -> dict:
    return dict(
        type='RandomSampler',
        num=num,
        pos_fraction=0.5,
        neg_pos_ub=-1,
        add_gt_as_proposals=add_gt)

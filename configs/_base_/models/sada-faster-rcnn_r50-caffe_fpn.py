# Faster R-CNN R-50-FPN as SADA trains it: the geometry, matching, sampling and
# selection of maskrcnn-benchmark, which published weights need
# (tools/model_converters/sada_to_mmdet.py).
_nms_rpn = dict(type='nms', iou_threshold=0.7, offset=1)
model = dict(
    type='FasterRCNN',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[102.9801, 115.9465, 122.7717],
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
        pad_size_divisor=32),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='caffe',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='open-mmlab://detectron2/resnet50_caffe')),
    neck=dict(
        type='FPN',
        in_channels=[256, 512, 1024, 2048],
        out_channels=256,
        num_outs=5),
    rpn_head=dict(
        type='mic_mm.SADARPNHead',
        in_channels=256,
        feat_channels=256,
        anchor_generator=dict(
            type='mic_mm.QuantizedAnchorGenerator',
            scales=[8],
            ratios=[0.5, 1.0, 2.0],
            strides=[4, 8, 16, 32, 64]),
        bbox_coder=dict(type='mic_mm.InclusiveBoxCoder'),
        loss_cls=dict(
            type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='SmoothL1Loss', beta=1.0 / 9.0, loss_weight=1.0),
        proposal_topk_scope='batch',
        pseudo_weight='prob',
        detach_rpn_weight=False),
    roi_head=dict(
        type='mic_mm.SADARoIHead',
        pseudo_weight='prob',
        target_dummy_proposal=True,
        bbox_roi_extractor=dict(
            type='mic_mm.InclusiveRoIExtractor',
            roi_layer=dict(
                type='RoIAlign',
                output_size=7,
                sampling_ratio=2,
                aligned=False),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32]),
        bbox_head=dict(
            type='mic_mm.InclusiveBBoxHead',
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            num_classes=8,
            bbox_coder=dict(
                type='mic_mm.InclusiveBoxCoder',
                target_stds=[0.1, 0.1, 0.2, 0.2]),
            reg_class_agnostic=False,
            loss_cls=dict(
                type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
            loss_bbox=dict(type='SmoothL1Loss', beta=1.0, loss_weight=1.0))),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type='mic_mm.OwnBestAssigner',
                pos_iou_thr=0.7,
                neg_iou_thr=0.3,
                match_low_quality=True),
            sampler=dict(type='mic_mm.KeySampler', num=256, pos_fraction=0.5),
            allowed_border=0,
            pos_weight=-1,
            debug=False),
        rpn_proposal=dict(
            nms_pre=2000,
            nms_post=2000,
            max_per_img=2000,
            nms=_nms_rpn,
            min_bbox_size=0),
        rcnn=dict(
            assigner=dict(
                type='mic_mm.OwnBestAssigner',
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                match_low_quality=False),
            sampler=dict(type='mic_mm.KeySampler', num=256, pos_fraction=0.25),
            pos_weight=-1,
            debug=False)),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1000,
            nms_post=1000,
            max_per_img=1000,
            nms=_nms_rpn,
            min_bbox_size=0),
        rcnn=dict(
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5, offset=1),
            max_per_img=100)))

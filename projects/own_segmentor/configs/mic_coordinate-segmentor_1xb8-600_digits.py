# Data, schedule and hooks of the digits benchmark; only the network is new.
_base_ = [
    '../../../configs/_base_/datasets/digits_seg.py',
    '../../../configs/_base_/schedules/adamw_600.py',
    '../../../configs/_base_/digits_runtime.py',
]
default_scope = 'mmseg'
custom_imports = dict(imports=[
    'projects.own_segmentor.coordinate_segmentor',
    'projects.own_segmentor.strip_backbone',
])

segmentor = dict(
    type='CoordinateSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[64.0, 64.0, 64.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(64, 64)),
    backbone=dict(type='StripBackbone', in_channels=5, channels=48),
    decode_head=dict(
        type='FCNHead',
        in_channels=48,
        in_index=0,
        channels=48,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0,
        num_classes=11,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        init_cfg=dict(
            type='Normal', std=0.3, override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))

model = dict(
    type='mic_mm.UDASegmentor',
    segmentor=segmentor,
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.98),
    labeller=dict(type='mic_mm.PixelLabeller', threshold=0.9),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.ClassMixSelfTraining', begin=200),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=200,
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))

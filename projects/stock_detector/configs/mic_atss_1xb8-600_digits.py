# ATSS of MMDetection, which no config of mic_mm uses, made small for images of 64x64.
_base_ = 'mmdet::atss/atss_r50_fpn_1x_coco.py'

# --- the network: what the data asks for --------------------------------------------
detector = _base_.model
detector.data_preprocessor.update(
    mean=[127.5, 127.5, 127.5], std=[64.0, 64.0, 64.0])
# From scratch: nothing is frozen, batch norm is trained.
detector.backbone.update(
    depth=18,
    base_channels=32,
    stem_channels=32,
    num_stages=3,
    strides=(1, 2, 2),
    dilations=(1, 1, 1),
    out_indices=(1, 2),
    frozen_stages=-1,
    norm_eval=False,
    init_cfg=None)
# Digits are at most 31 pixels long: two levels, of 8 and 16 pixels.
detector.neck.update(
    in_channels=[64, 128],
    out_channels=64,
    start_level=0,
    add_extra_convs=False,
    num_outs=2)
detector.bbox_head.update(
    num_classes=10, in_channels=64, feat_channels=64, stacked_convs=2)
detector.bbox_head.anchor_generator.update(
    strides=[8, 16], octave_base_scale=2)

# --- what mic_mm adds ---------------------------------------------------------------
# The score of ATSS is the product of two probabilities, and low: a low threshold.
model = dict(
    _delete_=True,
    type='mic_mm.UDADetector',
    detector=detector,
    teacher=dict(
        type='mic_mm.EMATeacher',
        alpha=0.98,
        mode='batch_statistics',
        average='parameters'),
    labeller=dict(type='mic_mm.BoxLabeller', threshold=0.25),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(
            type='mic_mm.SelfTraining', begin=300, exclude=('bbox', )),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=300,
            exclude=('bbox', 'centerness'),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    constructor='mic_mm.UDAOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01))
model_wrapper_cfg = dict(type='mic_mm.UDADistributedDataParallel')
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=600),
    ema_teacher=dict(type='mic_mm.EMATeacherHook'),
    random_streams=dict(type='mic_mm.RandomStreamsHook'),
    uda_visualization=dict(type='mic_mm.UDAVisualizationHook', interval=200))

# --- data: two domains --------------------------------------------------------------
data_root = 'data/digits/det/'
metainfo = dict(classes=tuple('0123456789'))
load = dict(type='LoadImageFromFile')
boxes = dict(type='LoadAnnotations', with_bbox=True)
resize = dict(type='Resize', scale=(64, 64), keep_ratio=True)
pack = dict(
    type='PackDetInputs',
    meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
               'scale_factor'))


def _coco(annotations, images, pipeline, **kwargs):
    return dict(
        type='CocoDataset',
        data_root=data_root,
        ann_file=annotations,
        data_prefix=dict(img=images),
        metainfo=metainfo,
        pipeline=pipeline,
        **kwargs)


train_dataloader = dict(
    _delete_=True,
    batch_size=8,
    num_workers=0,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source=_coco('optdigits/annotations/train.json', 'optdigits/train/',
                     [load, boxes, resize, pack]),
        target=_coco('mnist5k/annotations/train_unlabelled.json',
                     'mnist5k/train/', [load, resize, pack])))
val_dataloader = dict(
    _delete_=True,
    batch_size=25,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_coco(
        'mnist5k/annotations/val.json',
        'mnist5k/val/', [load, resize, boxes, pack],
        test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type='mic_mm.DomainCocoMetric',
    ann_file=data_root + 'mnist5k/annotations/val.json')
test_evaluator = val_evaluator

# --- schedule: iterations instead of epochs -----------------------------------------
train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters=600, val_interval=200)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=600,
        T_max=550,
        eta_min=0),
]
log_processor = dict(by_epoch=False)
randomness = dict(seed=0)

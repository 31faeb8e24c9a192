# One to four digits on a canvas of 64x64 pixels: UCI optdigits on plain sheets, labelled
# -> MNIST-5k on photographs and textures, unlabelled.
# Written by tools/dataset_converters/digits.py --task det
# _scope_: the types are MMDetection's, for configs that inherit it by mic_mm:: too.
data_root = 'data/digits/det/'
metainfo = dict(
    classes=tuple('0123456789'),
    palette=[(31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40),
             (148, 103, 189), (140, 86, 75), (227, 119, 194), (127, 127, 127),
             (188, 189, 34), (23, 190, 207)])
meta_keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')

# `Resize` leaves the size as it is and notes the scale factor, which the detector's
# prediction asks for.
labelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='PackDetInputs', meta_keys=meta_keys),
]
unlabelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='PackDetInputs', meta_keys=meta_keys),
]

source_train = dict(
    type='CocoDataset',
    _scope_='mmdet',
    data_root=data_root,
    ann_file='optdigits/annotations/train.json',
    data_prefix=dict(img='optdigits/train/'),
    metainfo=metainfo,
    pipeline=labelled_pipeline)
# This file lists images and classes, but no box.
target_train = dict(
    type='CocoDataset',
    _scope_='mmdet',
    data_root=data_root,
    ann_file='mnist5k/annotations/train_unlabelled.json',
    data_prefix=dict(img='mnist5k/train/'),
    metainfo=metainfo,
    pipeline=unlabelled_pipeline)
# What the oracle is allowed to see.
target_train_labelled = dict(
    type='CocoDataset',
    _scope_='mmdet',
    data_root=data_root,
    ann_file='mnist5k/annotations/train.json',
    data_prefix=dict(img='mnist5k/train/'),
    metainfo=metainfo,
    pipeline=labelled_pipeline)

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source=source_train,
        target=target_train))

val_dataloader = dict(
    batch_size=25,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        _scope_='mmdet',
        data_root=data_root,
        ann_file='mnist5k/annotations/val.json',
        data_prefix=dict(img='mnist5k/val/'),
        metainfo=metainfo,
        test_mode=True,
        pipeline=labelled_pipeline))
# The number reported is the average precision at an overlap of 0.5, as in MIC.
val_evaluator = [
    dict(
        type='mic_mm.DomainCocoMetric',
        ann_file=data_root + 'mnist5k/annotations/val.json'),
    # How good the boxes above a score are as pseudo-labels.
    dict(type='mic_mm.PseudoBoxMetric', thresholds=(0.25, 0.5, 0.7, 0.8)),
]

test_dataloader = dict(
    batch_size=25,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        _scope_='mmdet',
        data_root=data_root,
        ann_file='mnist5k/annotations/test.json',
        data_prefix=dict(img='mnist5k/test/'),
        metainfo=metainfo,
        test_mode=True,
        pipeline=labelled_pipeline))
test_evaluator = dict(
    type='mic_mm.DomainCocoMetric',
    ann_file=data_root + 'mnist5k/annotations/test.json')

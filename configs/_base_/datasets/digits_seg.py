# Four digits on a canvas of 64x64 pixels: UCI optdigits on plain sheets, labelled ->
# MNIST-5k on photographs and textures, unlabelled.  The classes are the ground and the
# ten digits.  Written by tools/dataset_converters/digits.py --task seg
# _scope_: the types are MMSegmentation's, for configs that inherit it by mic_mm:: too.
data_root = 'data/digits/seg/'
metainfo = dict(
    classes=('ground', *'0123456789'),
    palette=[[0, 0, 0], [31, 119, 180], [255, 127, 14], [44, 160, 44],
             [214, 39, 40], [148, 103, 189], [140, 86, 75], [227, 119, 194],
             [127, 127, 127], [188, 189, 34], [23, 190, 207]])

labelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
unlabelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='PackSegInputs'),
]

source_train = dict(
    type='BaseSegDataset',
    _scope_='mmseg',
    data_root=data_root,
    data_prefix=dict(
        img_path='optdigits/images/train',
        seg_map_path='optdigits/labels/train'),
    img_suffix='.png',
    metainfo=metainfo,
    pipeline=labelled_pipeline)
# No label map is named, none is loaded.
target_train = dict(
    type='BaseSegDataset',
    _scope_='mmseg',
    data_root=data_root,
    data_prefix=dict(img_path='mnist5k/images/train'),
    img_suffix='.png',
    metainfo=metainfo,
    pipeline=unlabelled_pipeline)
# What the oracle is allowed to see.
target_train_labelled = dict(
    type='BaseSegDataset',
    _scope_='mmseg',
    data_root=data_root,
    data_prefix=dict(
        img_path='mnist5k/images/train', seg_map_path='mnist5k/labels/train'),
    img_suffix='.png',
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
        type='BaseSegDataset',
        _scope_='mmseg',
        data_root=data_root,
        data_prefix=dict(
            img_path='mnist5k/images/val', seg_map_path='mnist5k/labels/val'),
        img_suffix='.png',
        metainfo=metainfo,
        pipeline=labelled_pipeline))
# IoU of each class is logged too.
val_evaluator = dict(type='mic_mm.DomainIoUMetric')

test_dataloader = dict(
    batch_size=25,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        _scope_='mmseg',
        data_root=data_root,
        data_prefix=dict(
            img_path='mnist5k/images/test',
            seg_map_path='mnist5k/labels/test'),
        img_suffix='.png',
        metainfo=metainfo,
        pipeline=labelled_pipeline))
test_evaluator = val_evaluator

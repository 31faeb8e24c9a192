# UCI optdigits (8x8 scans, labelled) -> MNIST-5k (28x28 scans, unlabelled).
# Written by tools/dataset_converters/digits.py --task cls
# _scope_: the types are MMPretrain's, for configs that inherit it by mic_mm:: too.
data_root = 'data/digits/cls/'
classes = tuple('0123456789')
metainfo = dict(classes=classes)

data_preprocessor = dict(
    num_classes=10,
    mean=[127.5, 127.5, 127.5],
    std=[127.5, 127.5, 127.5],
    to_rgb=True)

# The scans of optdigits fill their 8x8 pixels, those of MNIST leave a margin of 4 of
# 28 pixels: it is cut off, then both have the same extent.
# The source is jittered a little (paper is never laid down straight twice): without it
# a network learns the 1528 scans by heart.
source_jitter = [
    dict(type='NumpyToPIL'),
    dict(
        type='torchvision/RandomAffine',
        degrees=10,
        translate=(0.06, 0.06),
        scale=(0.9, 1.1),
        shear=10,
        interpolation='bilinear'),
    dict(type='PILToNumpy'),
]
_load = dict(type='LoadImageFromFile')
_pack = dict(type='PackInputs')
_optdigits = [
    _load,
    dict(type='Resize', scale=(16, 16), interpolation='bicubic'),
]
_mnist = [
    _load,
    dict(type='CenterCrop', crop_size=20),
    dict(type='Resize', scale=(16, 16), interpolation='area'),
]
source_pipeline = [*_optdigits, *source_jitter, _pack]
target_pipeline = [*_mnist, _pack]

source_train = dict(
    type='CustomDataset',
    _scope_='mmpretrain',
    data_root=data_root,
    data_prefix='optdigits/train',
    metainfo=metainfo,
    pipeline=source_pipeline)
# The folder holds images only; labels are in a file beside it that is not read here.
target_train = dict(
    type='CustomDataset',
    _scope_='mmpretrain',
    data_root=data_root,
    data_prefix='mnist5k/train',
    with_label=False,
    metainfo=metainfo,
    pipeline=target_pipeline)
# What the oracle is allowed to see.
target_train_labelled = dict(
    type='CustomDataset',
    _scope_='mmpretrain',
    data_root=data_root,
    data_prefix='mnist5k/train',
    ann_file='mnist5k/train_labels.txt',
    metainfo=metainfo,
    pipeline=[*_mnist, *source_jitter, _pack])

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source=source_train,
        target=target_train))

val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        _scope_='mmpretrain',
        data_root=data_root,
        data_prefix='mnist5k/val',
        metainfo=metainfo,
        pipeline=target_pipeline))
val_evaluator = [
    dict(type='Accuracy', _scope_='mmpretrain', topk=(1, )),
    dict(type='mic_mm.PerClassAccuracy'),
]

test_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        _scope_='mmpretrain',
        data_root=data_root,
        data_prefix='mnist5k/test',
        metainfo=metainfo,
        pipeline=target_pipeline))
test_evaluator = val_evaluator

# The same in the other direction, MNIST-5k (labelled) -> optdigits (unlabelled), for the
# configs that end in `mnist5k_optdigits`. `optdigits_target` are the scans of optdigits in
# splits of a target: 60 % train, 10 % val, 30 % test.
_test_pipeline = [*_optdigits, _pack]


def _labelled(split):
    return dict(
        type='CustomDataset',
        _scope_='mmpretrain',
        data_root=data_root,
        data_prefix=f'optdigits_target/{split}',
        metainfo=metainfo,
        pipeline=_test_pipeline)


reverse = dict(
    source=target_train_labelled,
    target=dict(
        type='CustomDataset',
        _scope_='mmpretrain',
        data_root=data_root,
        data_prefix='optdigits_target/train',
        with_label=False,
        metainfo=metainfo,
        pipeline=_test_pipeline),
    target_labelled=dict(
        type='CustomDataset',
        _scope_='mmpretrain',
        data_root=data_root,
        data_prefix='optdigits_target/train',
        ann_file='optdigits_target/train_labels.txt',
        metainfo=metainfo,
        pipeline=source_pipeline),
    val=_labelled('val'),
    test=_labelled('test'))

# Images of 224x224 pixels from two domains: what the benchmarks of classification share.
# A child sets the datasets.  These are the transforms of CDAN, SDAT and MIC: the image is
# squashed to 256x256 by Pillow's bicubic filter, then cropped; ImageNet mean and std for
# all backbones.
data_preprocessor = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True)

_load = dict(
    type='LoadImageFromFile',
    imdecode_backend='pillow',
    # As the original: the orientation noted in the file is not applied.
    color_type='color_ignore_orientation')
_squash = dict(
    type='Resize',
    scale=(256, 256),
    backend='pillow',
    interpolation='bicubic')
_flip = dict(type='RandomFlip', prob=0.5, direction='horizontal')
_pack = dict(type='PackInputs')

# `default` of the original, for Office-Home.
train_pipeline = [
    _load,
    _squash,
    dict(
        type='RandomResizedCrop',
        scale=224,
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
        backend='pillow',
        interpolation='bilinear'),
    _flip,
    _pack,
]
# `cen.crop` of the original, for VisDA-2017.
train_pipeline_center_crop = [
    _load,
    _squash,
    dict(type='CenterCrop', crop_size=224),
    _flip,
    _pack,
]
test_pipeline = [
    _load,
    _squash,
    dict(type='CenterCrop', crop_size=224),
    _pack,
]

# 32 images of each domain.
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(type='mic_mm.DomainPairDataset'))
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = dict(type='mic_mm.PerClassAccuracy')
# The last evaluation also draws the confusion matrix.
test_evaluator = dict(type='mic_mm.PerClassAccuracy', draw=True)

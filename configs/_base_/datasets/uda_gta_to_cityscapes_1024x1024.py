# GTA (labelled) -> Cityscapes (unlabelled), crops of 1024x1024 at about the stored size.
# train_dataloader.dataset.source.statistics=None switches rare class sampling off.
_base_ = 'cityscapes_target_1024x1024.py'
source_root = 'data/gta/'

source_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    # A few pairs of the published data differ in size.
    dict(type='mic_mm.CheckLabels', num_classes=19, different_size='skip'),
    dict(type='Resize', scale=(2560, 1440), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(1024, 1024), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# _scope_: the transforms are MMSegmentation's, for configs that inherit it by mic_mm:: too.
source_train = dict(
    _scope_='mmseg',
    type='mic_mm.GTADataset',
    data_root=source_root,
    data_prefix=dict(img_path='images', seg_map_path='labels'),
    pipeline=source_pipeline)

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source=dict(
            type='mic_mm.RareClassSampling',
            dataset=source_train,
            statistics=source_root,
            temperature=0.01,
            min_pixels=3000,
            min_crop_ratio=2.0),
        target={{_base_.target_train}}))

# Cityscapes (labelled) -> Dark Zurich (unlabelled), crops of 1024x1024 at the stored size.
# train_dataloader.dataset.source.statistics=None switches rare class sampling off.
_base_ = 'darkzurich_target_1024x1024.py'
source_root = 'data/cityscapes/'

source_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='mic_mm.CheckLabels', num_classes=19),
    dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(1024, 1024), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# _scope_: the transforms are MMSegmentation's, for configs that inherit it by mic_mm:: too.
source_train = dict(
    _scope_='mmseg',
    type='CityscapesDataset',
    data_root=source_root,
    data_prefix=dict(
        img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
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

# SYNTHIA (labelled) -> Cityscapes (unlabelled),
# crops of 512x512 at about half the stored size.
# train_dataloader.dataset.source.statistics=None switches rare class sampling off.
_base_ = 'cityscapes_target_512x512.py'
source_root = 'data/synthia/'

source_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='mic_mm.CheckLabels', num_classes=19),
    dict(type='Resize', scale=(1280, 760), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# _scope_: the transforms are MMSegmentation's, for configs that inherit it by mic_mm:: too.
source_train = dict(
    _scope_='mmseg',
    type='mic_mm.SYNTHIADataset',
    data_root=source_root,
    data_prefix=dict(img_path='RGB', seg_map_path='GT/LABELS'),
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
            min_crop_ratio=0.5),
        target={{_base_.target_train}}))

# The protocols of SYNTHIA, which has no terrain, truck and train: 16 classes, and 13
# without wall, fence and pole.
val_evaluator = dict(
    type='mic_mm.DomainIoUMetric',
    class_subsets=dict(
        mIoU16=[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18],
        mIoU13=[0, 1, 2, 6, 7, 8, 10, 11, 12, 13, 15, 17, 18]))
test_evaluator = val_evaluator

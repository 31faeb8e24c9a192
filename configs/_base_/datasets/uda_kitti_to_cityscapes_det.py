# KITTI (labelled) -> Cityscapes (unlabelled), cars.
_base_ = 'det_cityscapes.py'
source_root = 'data/kitti/'
target_root = 'data/cityscapes/'
metainfo = dict(classes=('car', ), palette=[(0, 0, 142)])

source_train = dict(
    _scope_='mmdet',
    type='mic_mm.DomainCocoDataset',
    data_root=source_root,
    ann_file='annotations/kitti_train.json',
    data_prefix=dict(img='training/image_2/'),
    metainfo=metainfo,
    filter_cfg=_base_.filter_cfg,
    pipeline=_base_.labelled_pipeline)
# All target images are used; no label chooses them.
target_train = dict(
    _scope_='mmdet',
    type='mic_mm.DomainCocoDataset',
    data_root=target_root,
    ann_file='annotations/instancesonly_filtered_gtFine_train_poly.json',
    data_prefix=dict(img='leftImg8bit/'),
    metainfo=metainfo,
    pipeline=_base_.unlabelled_pipeline)
# What the oracle is allowed to see.
target_train_labelled = dict(
    _scope_='mmdet',
    type='mic_mm.DomainCocoDataset',
    data_root=target_root,
    ann_file='annotations/instancesonly_filtered_gtFine_train_poly.json',
    data_prefix=dict(img='leftImg8bit/'),
    metainfo=metainfo,
    filter_cfg=_base_.filter_cfg,
    pipeline=_base_.labelled_pipeline)

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source=source_train,
        target=target_train))

val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        _scope_='mmdet',
        type='mic_mm.DomainCocoDataset',
        data_root=target_root,
        ann_file='annotations/instancesonly_filtered_gtFine_val_poly.json',
        data_prefix=dict(img='leftImg8bit/'),
        metainfo=metainfo,
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
# The number reported is the mean of AP50 over the classes; each class is logged too.
val_evaluator = dict(
    type='mic_mm.DomainCocoMetric',
    ann_file=target_root + 'annotations/instancesonly_filtered_gtFine_val_poly.json')
test_evaluator = val_evaluator

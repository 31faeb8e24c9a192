# Cityscapes as the unlabelled target domain,
# crops of 512x512 at half the stored size (DAFormer).
#
# The model's data_preprocessor normalises, turns BGR to RGB and pads:
# size=(512, 512), pad_val=0, seg_pad_val=255.
#
# The margins of the crops whose pseudo-labels are not trusted are options of the labeller:
# labeller=dict(type='mic_mm.PixelLabeller', ignore_top=15, ignore_bottom=120).
target_root = 'data/cityscapes/'

target_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1024, 512), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(512, 512)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mic_mm.PackUDASegInputs'),
]
# _scope_: the transforms are MMSegmentation's, for configs that inherit it by mic_mm:: too.
target_train = dict(
    _scope_='mmseg',
    type='CityscapesDataset',
    data_root=target_root,
    data_prefix=dict(img_path='leftImg8bit/train'),
    pipeline=target_pipeline)

# What the oracle is allowed to see.
labelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='mic_mm.CheckLabels', num_classes=19),
    dict(type='Resize', scale=(1024, 512), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
target_train_labelled = dict(
    _scope_='mmseg',
    type='CityscapesDataset',
    data_root=target_root,
    data_prefix=dict(
        img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
    pipeline=labelled_pipeline)

# Labels are loaded behind Resize: predictions are compared at the stored size.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1024, 512), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='mic_mm.CheckLabels', num_classes=19),
    dict(type='PackSegInputs'),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        _scope_='mmseg',
        type='CityscapesDataset',
        data_root=target_root,
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='mic_mm.DomainIoUMetric')
test_evaluator = val_evaluator

# Images whose labels only the benchmark's server has: tools/misc/export_predictions.py.
server_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        _scope_='mmseg',
        type='CityscapesDataset',
        data_root=target_root,
        data_prefix=dict(img_path='leftImg8bit/test'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(1024, 512), keep_ratio=True),
            dict(type='PackSegInputs'),
        ]))
server_evaluator = dict(type='mic_mm.PredictionExport', ids='cityscapes')

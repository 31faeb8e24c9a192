# Dark Zurich (night) as the unlabelled target domain,
# crops of 1024x1024 at the stored size (HRDA).
#
# The model's data_preprocessor normalises, turns BGR to RGB and pads:
# size=(1024, 1024), pad_val=0, seg_pad_val=255.
#
# There are 50 labelled images for validation: scores on them are noisy and differ from
# those on the test images by a lot.
target_root = 'data/dark_zurich/'

target_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1920, 1080), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(1024, 1024)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mic_mm.PackUDASegInputs'),
]
# _scope_: the transforms are MMSegmentation's, for configs that inherit it by mic_mm:: too.
target_train = dict(
    _scope_='mmseg',
    type='mic_mm.DarkZurichDataset',
    data_root=target_root,
    data_prefix=dict(img_path='rgb_anon/train/night'),
    pipeline=target_pipeline)

# Labels are loaded behind Resize: predictions are compared at the stored size.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1920, 1080), keep_ratio=True),
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
        type='mic_mm.DarkZurichDataset',
        data_root=target_root,
        data_prefix=dict(
            img_path='rgb_anon/val', seg_map_path='gt/val'),
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
        type='mic_mm.DarkZurichDataset',
        data_root=target_root,
        data_prefix=dict(img_path='rgb_anon/test'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(1920, 1080), keep_ratio=True),
            dict(type='PackSegInputs'),
        ]))
server_evaluator = dict(type='mic_mm.PredictionExport', ids='train')

# digits_seg, enlarged to 128x128 pixels: HRDA sees the context at 64x64 of them.
# Predictions are evaluated at the 64x64 pixels of the label maps.
_base_ = 'digits_seg.py'
_enlarge = dict(type='Resize', scale=(128, 128), keep_ratio=False)
labelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    _enlarge,
    dict(type='PackSegInputs'),
]
unlabelled_pipeline = [
    dict(type='LoadImageFromFile'),
    _enlarge,
    dict(type='PackSegInputs'),
]
evaluation_pipeline = [
    dict(type='LoadImageFromFile'),
    _enlarge,
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]

source_train = dict(pipeline=labelled_pipeline)
target_train = dict(pipeline=unlabelled_pipeline)
target_train_labelled = dict(pipeline=labelled_pipeline)
train_dataloader = dict(
    dataset=dict(source=source_train, target=target_train))
val_dataloader = dict(dataset=dict(pipeline=evaluation_pipeline))
test_dataloader = dict(dataset=dict(pipeline=evaluation_pipeline))

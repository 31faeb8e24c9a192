# Labels of Cityscapes, crops of 1024x1024.
# With photometric distortion, as in the source-only and oracle runs of DAFormer and HRDA.
_base_ = 'cityscapes_target_1024x1024.py'

train_pipeline = [
    *_base_.target_train_labelled.pipeline[:-1],
    dict(type='PhotoMetricDistortion'),
    _base_.target_train_labelled.pipeline[-1],
]
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(_base_.target_train_labelled, pipeline=train_pipeline))

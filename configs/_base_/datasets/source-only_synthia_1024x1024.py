# Labels of SYNTHIA alone, evaluated on Cityscapes, crops of 1024x1024.
# With photometric distortion, as in the source-only and oracle runs of DAFormer and HRDA.
_base_ = 'uda_synthia_to_cityscapes_1024x1024.py'

train_pipeline = [
    *_base_.source_train.pipeline[:-1],
    dict(type='PhotoMetricDistortion'),
    _base_.source_train.pipeline[-1],
]
train_dataloader = dict(
    _delete_=True,
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(_base_.source_train, pipeline=train_pipeline))

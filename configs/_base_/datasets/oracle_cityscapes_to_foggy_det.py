# Labels of the target: what there is to gain.
_base_ = 'uda_cityscapes_to_foggy_det.py'
train_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=_base_.target_train_labelled)

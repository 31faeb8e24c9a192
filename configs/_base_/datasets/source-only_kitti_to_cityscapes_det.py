# Labels of the source alone.
_base_ = 'uda_kitti_to_cityscapes_det.py'
train_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=_base_.source_train)

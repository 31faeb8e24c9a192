# Supervised training on Cityscapes, crops of 512x512 at half the stored size: the oracle,
# and MIC with labels.
_base_ = 'cityscapes_target_512x512.py'

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset={{_base_.target_train_labelled}})

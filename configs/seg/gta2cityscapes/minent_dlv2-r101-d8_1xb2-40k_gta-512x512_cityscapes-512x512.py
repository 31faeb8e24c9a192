_base_ = [
    '../../_base_/models/dlv2_r101-d8.py',
    '../../_base_/datasets/uda_gta_to_cityscapes_512x512.py',
    '../../_base_/schedules/sgd_40k.py',
    '../../_base_/uda/minent.py',
    '../../_base_/seg_runtime.py',
]
model = dict(_delete_=True, segmentor=_base_.model, **_base_.uda)
uda = None  # has become the model
train_dataloader = dict(
    dataset=dict(source=dict(statistics=None)))  # no rare class sampling

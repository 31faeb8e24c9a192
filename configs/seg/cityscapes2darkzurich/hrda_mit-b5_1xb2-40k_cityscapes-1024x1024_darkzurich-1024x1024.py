_base_ = [
    '../../_base_/models/hrda_mit-b5.py',
    '../../_base_/datasets/uda_cityscapes_to_darkzurich_1024x1024.py',
    '../../_base_/schedules/adamw_40k_mit.py',
    '../../_base_/uda/daformer.py',
    '../../_base_/seg_runtime.py',
]
model = dict(_delete_=True, segmentor=_base_.model, **_base_.uda)
uda = None  # has become the model

_base_ = [
    '../../_base_/models/daformer_mit-b5.py',
    '../../_base_/datasets/cityscapes_to_cityscapes_512x512.py',
    '../../_base_/schedules/adamw_40k_mit.py',
    '../../_base_/uda/source.py',
    '../../_base_/seg_runtime.py',
]
model = dict(_delete_=True, segmentor=_base_.model, **_base_.uda)
uda = None  # has become the model

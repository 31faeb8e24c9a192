_base_ = [
    '../../_base_/models/hrda_dlv2-r101-d8.py',
    '../../_base_/datasets/oracle_cityscapes_1024x1024.py',
    '../../_base_/schedules/adamw_40k.py',
    '../../_base_/seg_plain_runtime.py',
]
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')

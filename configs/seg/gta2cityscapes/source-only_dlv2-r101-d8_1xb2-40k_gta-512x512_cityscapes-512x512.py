_base_ = [
    '../../_base_/models/dlv2_r101-d8.py',
    '../../_base_/datasets/source-only_gta_512x512.py',
    '../../_base_/schedules/adamw_40k.py',
    '../../_base_/seg_plain_runtime.py',
]
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')

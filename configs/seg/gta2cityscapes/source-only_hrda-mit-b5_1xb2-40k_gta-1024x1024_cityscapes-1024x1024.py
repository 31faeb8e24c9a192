_base_ = [
    '../../_base_/models/hrda_mit-b5.py',
    '../../_base_/datasets/source-only_gta_1024x1024.py',
    '../../_base_/schedules/adamw_40k_mit.py',
    '../../_base_/seg_plain_runtime.py',
]
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')

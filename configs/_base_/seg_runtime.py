# Runs of segmentation with UDA: 40 000 iterations of crops of one size.
_base_ = 'default_runtime.py'
default_scope = 'mmseg'
env_cfg = dict(cudnn_benchmark=True)
# The last iteration counts, not the best; the others are there to resume from.
default_hooks = dict(checkpoint=dict(interval=2000))

# Runs of detection with UDA on street scenes.
_base_ = 'default_runtime.py'
default_scope = 'mmdet'
# The last iteration counts, not the best; the others are there to resume from.
default_hooks = dict(checkpoint=dict(interval=5000))

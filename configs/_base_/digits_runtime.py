# The runs of the digits benchmark last minutes: pictures are drawn more often.
_base_ = 'default_runtime.py'
default_hooks = dict(uda_visualization=dict(interval=200))

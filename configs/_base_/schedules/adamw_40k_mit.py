# For a Mix Transformer: no weight decay for norms.  The norm at the end of a stage is
# called layers.<stage>.2 in MMSegmentation.
_base_ = 'adamw_40k.py'
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'norm': dict(decay_mult=0.),
            'backbone.layers.0.2': dict(decay_mult=0.),
            'backbone.layers.1.2': dict(decay_mult=0.),
            'backbone.layers.2.2': dict(decay_mult=0.),
            'backbone.layers.3.2': dict(decay_mult=0.),
        }))

# The same course of 40 000 iterations with SGD, for the older methods.
_base_ = 'adamw_40k.py'
optim_wrapper = dict(
    optimizer=dict(
        _delete_=True,
        type='SGD',
        lr=2.5e-3,
        momentum=0.9,
        weight_decay=5e-4),
    paramwise_cfg=None)

# 1000 iterations from scratch: short warm-up, then cosine to zero.
max_iters = 1000
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mic_mm.UDAOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        eta_min=0,
        by_epoch=False,
        begin=50,
        end=max_iters,
        T_max=max_iters - 50),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=200)
val_cfg = dict()
test_cfg = dict()

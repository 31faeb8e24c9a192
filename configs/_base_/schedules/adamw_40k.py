# 40 000 iterations: AdamW, the head ten times as fast, linear warm-up and linear decay.
#
# Both schedulers begin at 0 and multiply: lr(t) = lr0 (1 - t/40000) during and after the
# warm-up.  Their last iterations are one later than MMEngine's names suggest.  For another
# length change train_cfg.max_iters and the PolyLR's end together.
max_iters = 40000
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mic_mm.UDAOptimWrapperConstructor',
    optimizer=dict(
        type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.))))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,
        by_epoch=False,
        begin=0,
        end=1501),
    dict(
        type='PolyLR',
        eta_min=0.,
        power=1.,
        by_epoch=False,
        begin=0,
        end=max_iters + 1),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=4000)
val_cfg = dict()
test_cfg = dict()

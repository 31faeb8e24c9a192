# The course of SADA and MIC(SADA): SGD, biases twice as fast and without weight decay,
# linear warm-up from a third over 500 iterations, a tenth from 30 000 and from 40 000 on.
# MMEngine reaches the full rate one iteration before `end`: hence 501.
max_iters = 60000
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mic_mm.UDAOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=2.5e-3, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(bias_lr_mult=2.0, bias_decay_mult=0.0))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1 / 3,
        by_epoch=False,
        begin=0,
        end=501),
    dict(
        type='MultiStepLR',
        milestones=[30000, 40000],
        gamma=0.1,
        by_epoch=False),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=5000)
val_cfg = dict()
test_cfg = dict()

# 30000 iterations of SGD with the schedule of CDAN, SDAT and MIC; the pretrained backbone
# learns ten times more slowly.  Weight decay acts on all parameters.
max_iters = 30000
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='mic_mm.UDAOptimWrapperConstructor',
    optimizer=dict(
        type='SGD',
        lr=0.002,
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-3),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
param_scheduler = dict(
    type='mic_mm.InverseDecayLR', gamma=0.001, power=0.75, by_epoch=False)
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=1000)
val_cfg = dict()
test_cfg = dict()

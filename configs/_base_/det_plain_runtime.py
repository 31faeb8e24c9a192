# Training of MMDetection as it is: source-only and oracle.
_base_ = 'det_runtime.py'
# MMEngine switches its own hooks off by None, but no others.
default_hooks = dict(
    _delete_=True,
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=_base_.default_hooks.checkpoint,
    sampler_seed=dict(type='DistSamplerSeedHook'),
    random_streams=dict(type='mic_mm.RandomStreamsHook'))
model_wrapper_cfg = dict(type='mic_mm.DistributedDataParallel')

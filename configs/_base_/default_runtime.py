# What every run of mic_mm has in common.  `default_scope` stays that of the library
# the model comes from, so it is set by the config that chooses the model.
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='mic_mm.AtomicCheckpointHook',
        by_epoch=False,
        interval=1000,
        max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    ema_teacher=dict(type='mic_mm.EMATeacherHook'),
    random_streams=dict(type='mic_mm.RandomStreamsHook'),
    uda_visualization=dict(type='mic_mm.UDAVisualizationHook', interval=1000))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
model_wrapper_cfg = dict(type='mic_mm.UDADistributedDataParallel')

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
log_processor = dict(by_epoch=False, window_size=50)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)

_base_ = [
    '../../_base_/models/sada-faster-rcnn_r50-caffe_fpn_car.py',
    '../../_base_/datasets/oracle_sim10k_to_cityscapes_det.py',
    '../../_base_/schedules/sgd_sada_60k.py',
    '../../_base_/det_plain_runtime.py',
]
train_dataloader = dict(
    dataset=dict(pipeline=_base_.inclusive_pipeline))
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')

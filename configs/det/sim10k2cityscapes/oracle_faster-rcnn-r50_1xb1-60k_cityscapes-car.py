_base_ = [
    '../../_base_/models/faster-rcnn_r50_fpn_car.py',
    '../../_base_/datasets/oracle_sim10k_to_cityscapes_det.py',
    '../../_base_/schedules/sgd_sada_60k.py',
    '../../_base_/det_plain_runtime.py',
]
optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor')

_base_ = [
    '../../_base_/models/sada-faster-rcnn_r50-caffe_fpn_car.py',
    '../../_base_/datasets/uda_kitti_to_cityscapes_det.py',
    '../../_base_/schedules/sgd_sada_60k.py',
    '../../_base_/uda/det_self-training_published.py',
    '../../_base_/det_runtime.py',
]
model = dict(_delete_=True, detector=_base_.model, **_base_.uda)
uda = None  # has become the model
train_dataloader = dict(
    dataset=dict(source=dict(pipeline=_base_.inclusive_pipeline)))

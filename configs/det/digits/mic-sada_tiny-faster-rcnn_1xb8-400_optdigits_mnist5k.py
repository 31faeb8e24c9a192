_base_ = [
    '../../_base_/models/tiny-faster-rcnn_digits.py',
    '../../_base_/datasets/digits_det.py',
    '../../_base_/schedules/adamw_400.py',
    '../../_base_/digits_runtime.py',
]
default_scope = 'mmdet'
optim_wrapper = dict(optimizer=dict(lr=2e-3))
train_cfg = dict(val_interval=200)

# As in MIC, boxes are not regressed on masked images, and what they teach is weighted by
# the student's confidence; the weight of the RPN is a constant.
model = dict(
    _delete_=True,
    type='mic_mm.UDADetector',
    detector={{_base_.model}},
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
    labeller=dict(
        type='mic_mm.BoxLabeller', threshold=0.9, ignore_threshold=0.3),
    pseudo_weight=dict(
        type='mic_mm.StudentConfidence', detach_rpn_weight=True),
    objectives=dict(
        sada=dict(
            type='mic_mm.DomainAdversarialDetection',
            image_head=dict(gradient_scale=0.025, hidden_dim=64),
            instance_head=dict(gradient_scale=0.1, hidden_dim=64),
            consistency=dict(gradient_scale=0.1)),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=200,
            exclude=('bbox', ),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))

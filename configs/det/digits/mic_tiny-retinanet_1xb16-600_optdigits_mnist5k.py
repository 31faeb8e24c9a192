_base_ = [
    '../../_base_/models/tiny-retinanet_digits.py',
    '../../_base_/datasets/digits_det.py',
    '../../_base_/schedules/adamw_600.py',
    '../../_base_/digits_runtime.py',
]
default_scope = 'mmdet'
train_dataloader = dict(batch_size=16)

# Not tuned. As in MIC, boxes are not regressed on masked images.
model = dict(
    _delete_=True,
    type='mic_mm.UDADetector',
    detector={{_base_.model}},
    teacher=dict(
        type='mic_mm.EMATeacher',
        alpha=0.98,
        mode='batch_statistics',
        average='parameters'),
    labeller=dict(type='mic_mm.BoxLabeller', threshold=0.4),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining', begin=300),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=300,
            exclude=('bbox', ),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))

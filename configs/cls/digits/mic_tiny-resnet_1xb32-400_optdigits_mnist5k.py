_base_ = [
    '../../_base_/models/tiny-resnet_digits.py',
    '../../_base_/datasets/digits_cls.py',
    '../../_base_/schedules/adamw_400.py',
    '../../_base_/digits_runtime.py',
]
default_scope = 'mmpretrain'

# The teacher is worth following once the student has learnt the source, and forgets
# within tens of iterations, because there are only hundreds.  Blocks are a quarter of
# the image, as in MIC (64 of 224 pixels).
model = dict(
    _delete_=True,
    type='mic_mm.UDAClassifier',
    classifier={{_base_.model}},
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
    labeller=dict(type='mic_mm.ClassLabeller', weight='prob'),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining', begin=150),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=150,
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=4))))

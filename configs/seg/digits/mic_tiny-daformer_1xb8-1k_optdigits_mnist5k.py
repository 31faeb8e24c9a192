_base_ = [
    '../../_base_/models/tiny-daformer_digits.py',
    '../../_base_/datasets/digits_seg.py',
    '../../_base_/schedules/adamw_1k.py',
    '../../_base_/digits_runtime.py',
]
default_scope = 'mmseg'
optim_wrapper = dict(optimizer=dict(lr=4e-3))
train_cfg = dict(val_interval=250)

# Adaptation begins when the student has an mIoU of more than 25 on the target.  There is no
# feature distance: it compares with ImageNet features, and nothing here is pretrained.
model = dict(
    _delete_=True,
    type='mic_mm.UDASegmentor',
    segmentor={{_base_.model}},
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.98),
    labeller=dict(type='mic_mm.PixelLabeller', threshold=0.9),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.ClassMixSelfTraining', begin=500),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=500,
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))

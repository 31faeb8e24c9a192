_base_ = [
    '../../_base_/models/tiny-hrda_digits.py',
    '../../_base_/datasets/digits_seg_128.py',
    '../../_base_/schedules/adamw_600.py',
    '../../_base_/digits_runtime.py',
]
default_scope = 'mmseg'
optim_wrapper = dict(optimizer=dict(lr=4e-3))
train_cfg = dict(val_interval=300)

# An iteration costs twice that of tiny-daformer, so there are fewer.  A block of the mask
# hides the same part of a digit.
model = dict(
    _delete_=True,
    type='mic_mm.UDASegmentor',
    segmentor={{_base_.model}},
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.98),
    labeller=dict(type='mic_mm.PixelLabeller', threshold=0.9),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.ClassMixSelfTraining', begin=300),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=300,
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=16))))

# MIC(SADA) as published: a fast teacher from the first iteration on, images without boxes
# dropped, no regression on masked images; blurred, without colour jitter (what the coins of
# the published seed say). The heads weight pseudo-boxes by the student's confidence.
_base_ = 'sada_published.py'
uda = dict(
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9, warmup=False),
    labeller=dict(type='mic_mm.BoxLabeller', threshold=0.8),
    objectives=dict(
        mic=dict(
            type='mic_mm.MaskedConsistency',
            exclude=('bbox', ),
            color_aug=dict(
                type='mic_mm.ColorAugmentation',
                jitter_probability=0.,
                blur_probability=1.),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=32))))

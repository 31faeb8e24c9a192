# MIC on SADA without the quirks of the published code: a teacher that averages over more than
# ten iterations, after a start on source labels alone; colours jittered and blurred at random;
# what the teacher is unsure of is neither object nor background; the weight of the RPN is a
# constant. None of these values has been tuned.
_base_ = 'sada.py'
uda = dict(
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.999),
    labeller=dict(
        type='mic_mm.BoxLabeller', threshold=0.8, ignore_threshold=0.3),
    pseudo_weight=dict(
        type='mic_mm.StudentConfidence', detach_rpn_weight=True),
    objectives=dict(
        mic=dict(
            type='mic_mm.MaskedConsistency',
            begin=5000,
            exclude=('bbox', ),
            color_aug=dict(type='mic_mm.ColorAugmentation'),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=32))))

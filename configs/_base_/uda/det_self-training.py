# As MIC without SADA and masks: same teacher, labels and start.
uda = dict(
    type='mic_mm.UDADetector',
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.999),
    labeller=dict(
        type='mic_mm.BoxLabeller', threshold=0.8, ignore_threshold=0.3),
    pseudo_weight=dict(
        type='mic_mm.StudentConfidence', detach_rpn_weight=True),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(
            type='mic_mm.SelfTraining', begin=5000, exclude=('bbox', ))))

# Source labels and the teacher's boxes on whole target images, with MIC's teacher and score.
uda = dict(
    type='mic_mm.UDADetector',
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9, warmup=False),
    labeller=dict(type='mic_mm.BoxLabeller', threshold=0.8),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(type='mic_mm.SelfTraining', exclude=('bbox', ))))

# Source labels, strong augmentation and an averaged network: what a baseline should have
# before adaptation is credited with anything ("Align and Distill", Kay et al., 2024).
uda = dict(
    type='mic_mm.UDADetector',
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9996),
    predict_on='teacher',
    objectives=dict(source=dict(type='mic_mm.SourceSupervision')))

# Masked images are labelled by the student of the step before.
_base_ = 'mic-daformer_mit-b5_1xb2-40k_gta-512x512_cityscapes-512x512.py'
model = dict(
    objectives=dict(
        mic=dict(teacher=dict(type='mic_mm.EMATeacher', alpha=0.))))

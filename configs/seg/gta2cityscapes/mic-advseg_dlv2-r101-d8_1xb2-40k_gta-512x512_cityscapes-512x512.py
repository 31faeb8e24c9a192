_base_ = [
    'advseg_dlv2-r101-d8_1xb2-40k_gta-512x512_cityscapes-512x512.py',
    '../../_base_/uda/mic_block32.py',
]
model = dict(
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.999),
    objectives=dict(mic=_base_.mic))
mic = None  # is part of the model

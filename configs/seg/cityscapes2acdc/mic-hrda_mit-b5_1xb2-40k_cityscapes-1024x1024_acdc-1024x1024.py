_base_ = [
    'hrda_mit-b5_1xb2-40k_cityscapes-1024x1024_acdc-1024x1024.py',
    '../../_base_/uda/mic_block64.py',
]
model = dict(objectives=dict(mic=dict(_base_.mic, on='both', color_aug=None)))
mic = None  # is part of the model

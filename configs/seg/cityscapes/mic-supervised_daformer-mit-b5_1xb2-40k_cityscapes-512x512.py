_base_ = [
    'supervised_daformer-mit-b5_1xb2-40k_cityscapes-512x512.py',
    '../../_base_/uda/mic_block32.py',
]
model = dict(objectives=dict(mic=dict(_base_.mic, on='source', color_aug=None)))
mic = None  # is part of the model

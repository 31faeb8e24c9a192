_base_ = [
    'hrda_mit-b5_1xb2-40k_synthia-1024x1024_cityscapes-1024x1024.py',
    '../../_base_/uda/mic_block64.py',
]
model = dict(objectives=dict(mic=_base_.mic))
mic = None  # is part of the model

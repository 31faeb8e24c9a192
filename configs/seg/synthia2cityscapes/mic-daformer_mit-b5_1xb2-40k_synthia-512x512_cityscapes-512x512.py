_base_ = [
    'daformer_mit-b5_1xb2-40k_synthia-512x512_cityscapes-512x512.py',
    '../../_base_/uda/mic_block32.py',
]
model = dict(objectives=dict(mic=_base_.mic))
mic = None  # is part of the model

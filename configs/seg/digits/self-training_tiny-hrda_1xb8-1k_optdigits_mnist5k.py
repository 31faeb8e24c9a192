_base_ = 'mic_tiny-hrda_1xb8-1k_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

_base_ = 'mic_tiny-hrda_1xb8-600_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

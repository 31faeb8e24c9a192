_base_ = 'mic_tiny-retinanet_1xb16-600_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

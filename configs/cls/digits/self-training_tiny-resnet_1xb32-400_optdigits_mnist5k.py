_base_ = 'mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

_base_ = 'mic_tiny-unet_1xb16-400_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

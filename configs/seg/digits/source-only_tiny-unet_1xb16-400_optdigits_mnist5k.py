_base_ = 'mic_tiny-unet_1xb16-400_optdigits_mnist5k.py'
model = dict(teacher=None, objectives=dict(self_training=None, mic=None))

_base_ = 'mic_tiny-dino_1xb16-1k_optdigits_mnist5k.py'
model = dict(teacher=None, objectives=dict(self_training=None, mic=None))

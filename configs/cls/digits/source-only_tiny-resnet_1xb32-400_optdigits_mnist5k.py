_base_ = 'mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
model = dict(teacher=None, objectives=dict(self_training=None, mic=None))

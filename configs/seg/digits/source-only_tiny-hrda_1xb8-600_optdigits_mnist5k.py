_base_ = 'mic_tiny-hrda_1xb8-600_optdigits_mnist5k.py'
model = dict(teacher=None, objectives=dict(self_training=None, mic=None))

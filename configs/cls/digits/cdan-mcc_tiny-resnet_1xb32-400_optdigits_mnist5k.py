_base_ = 'mic-cdan-mcc_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
model = dict(teacher=None, objectives=dict(mic=None))

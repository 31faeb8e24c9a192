_base_ = 'cdan-mcc_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
model = dict(objectives=dict(joint=dict(terms=dict(cdan=None))))

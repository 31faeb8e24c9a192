_base_ = 'cdan-mcc_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
optim_wrapper = dict(type='mic_mm.SAMOptimWrapper', rho=0.02)

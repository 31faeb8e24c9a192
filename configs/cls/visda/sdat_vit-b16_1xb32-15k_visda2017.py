_base_ = 'cdan-mcc_vit-b16_1xb32-15k_visda2017.py'
optim_wrapper = dict(type='mic_mm.SAMOptimWrapper', rho=0.02)

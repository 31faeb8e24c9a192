_base_ = 'cdan-mcc_r101_1xb32-30k_visda2017.py'
optim_wrapper = dict(type='mic_mm.SAMOptimWrapper', rho=0.02)

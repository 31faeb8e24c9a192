_base_ = 'cdan-mcc_r101_1xb32-30k_visda2017.py'
model = dict(
    objectives=dict(
        joint=None, source=dict(type='mic_mm.SourceSupervision')))

_base_ = 'cdan-mcc_vit-b16_1xb32-15k_visda2017.py'
model = dict(objectives=dict(joint=dict(terms=dict(mcc=None))))

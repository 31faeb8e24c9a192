_base_ = 'mic-hrda_mit-b5_1xb2-40k_gta-1024x1024_cityscapes-1024x1024.py'
model = dict(objectives=dict(mic=dict(on='source')))

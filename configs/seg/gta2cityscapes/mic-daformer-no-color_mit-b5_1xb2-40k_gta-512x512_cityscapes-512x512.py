# Without colour augmentation of the masked images.
_base_ = 'mic-daformer_mit-b5_1xb2-40k_gta-512x512_cityscapes-512x512.py'
model = dict(objectives=dict(mic=dict(color_aug=None)))

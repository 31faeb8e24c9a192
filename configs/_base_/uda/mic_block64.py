# Masked image consistency on target images, for crops of 1024x1024.
mic = dict(
    type='mic_mm.MaskedConsistency',
    on='target',
    color_aug=dict(type='mic_mm.ColorAugmentation'),
    mask=dict(type='mic_mm.BlockMask', ratio=0.7, block_size=64))

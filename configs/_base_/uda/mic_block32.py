# For crops of 512x512, at half the resolution.
_base_ = 'mic_block64.py'
mic = dict(mask=dict(block_size=32))

# Labels of masked images count alike, however unsure.  The threshold
# of self-training is written out since objectives share the first one that is given.
_base_ = 'mic-daformer_mit-b5_1xb2-40k_gta-512x512_cityscapes-512x512.py'
model = dict(
    objectives=dict(
        self_training=dict(pseudo_threshold=0.968),
        mic=dict(pseudo_threshold=None)))

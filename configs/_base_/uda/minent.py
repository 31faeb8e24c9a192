# Entropy minimization of ADVENT.
uda = dict(
    type='mic_mm.UDASegmentor',
    objectives=dict(
        source=dict(type='mic_mm.SegSourceSupervision'),
        entropy=dict(type='mic_mm.EntropyMinimization', weight=0.001)))

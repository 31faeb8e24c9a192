# DAFormer: DACS with a slower teacher and the distance to ImageNet features of things.
# HRDA trains in the same way.  Rare class sampling is part of the data.
_base_ = 'dacs.py'
uda = dict(
    teacher=dict(alpha=0.999),
    objectives=dict(
        source=dict(
            feature_distance=dict(
                type='mic_mm.FeatureDistance', weight=0.005))))

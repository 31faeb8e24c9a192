_base_ = 'sada_tiny-faster-rcnn_1xb8-400_optdigits_mnist5k.py'
model = dict(
    objectives=dict(
        sada=None, source=dict(type='mic_mm.SourceSupervision')))

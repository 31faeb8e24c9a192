_base_ = 'mic-sada_tiny-faster-rcnn_1xb8-400_optdigits_mnist5k.py'
model = dict(teacher=None, labeller=None, pseudo_weight=None, objectives=dict(mic=None))

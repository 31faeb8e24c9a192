_base_ = 'mic_tiny-faster-rcnn_1xb8-400_optdigits_mnist5k.py'
model = dict(objectives=dict(mic=None))

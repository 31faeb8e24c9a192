# Trained on the labels of the target, in the direction MNIST to optdigits.
_base_ = 'source-only_tiny-resnet_1xb32-400_mnist5k_optdigits.py'
train_dataloader = dict(dataset=dict(source=_base_.reverse.target_labelled))

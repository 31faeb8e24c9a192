# Trained on the labels of the target: what there is to gain.
_base_ = 'source-only_tiny-faster-rcnn_1xb8-400_optdigits_mnist5k.py'
train_dataloader = dict(
    dataset=dict(source=dict(_delete_=True, **_base_.target_train_labelled)))

_base_ = 'cdan-mcc_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
train_dataloader = dict(
    dataset=dict(
        source=_base_.reverse.source, target=_base_.reverse.target))
val_dataloader = dict(dataset=_base_.reverse.val)
test_dataloader = dict(dataset=_base_.reverse.test)

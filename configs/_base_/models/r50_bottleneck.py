# ResNet-50 with a bottleneck of 2048, as SDAT has it for Office-Home.
_base_ = 'r101_bottleneck.py'
model = dict(
    backbone=dict(
        depth=50, init_cfg=dict(checkpoint='torchvision://resnet50')),
    neck=dict(out_channels=2048),
    head=dict(in_channels=2048))

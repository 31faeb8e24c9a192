# ResNet-101 -> pooling -> bottleneck of 256 -> classes, the network of CDAN, SDAT and MIC.
# New layers have PyTorch's default initialisation, hence the head's `init_cfg=None`.
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(3, ),
        style='pytorch',
        init_cfg=dict(
            type='Pretrained', checkpoint='torchvision://resnet101')),
    neck=dict(
        type='LinearNeck',
        in_channels=2048,
        out_channels=256,
        gap_dim=2,
        norm_cfg=dict(type='BN1d'),
        act_cfg=dict(type='ReLU')),
    head=dict(
        type='LinearClsHead',
        num_classes=12,
        in_channels=256,
        init_cfg=None,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))

# ViT-B/16 -> class token -> bottleneck of 256 -> classes.
# The weights are timm's of ImageNet-21k, fine-tuned on ImageNet-1k at 224 pixels (tag
# `augreg_in21k_ft_in1k`); convert them by tools/model_converters/timm_vit_to_mmpretrain.py
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch='b',
        img_size=224,
        patch_size=16,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/vit-b16_augreg_in21k_ft_in1k_224.pth')),
    neck=dict(
        type='LinearNeck',
        in_channels=768,
        out_channels=256,
        gap_dim=0,
        norm_cfg=dict(type='BN1d'),
        act_cfg=dict(type='ReLU')),
    head=dict(
        type='LinearClsHead',
        num_classes=12,
        in_channels=256,
        init_cfg=None,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))

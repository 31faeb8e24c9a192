# DAFormer in small, for 64x64 pixels and training from scratch: three stages of the Mix
# Transformer, of the width of MiT-B0 but of one block each, and narrow fusion.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[64.0, 64.0, 64.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(64, 64)),
    backbone=dict(
        type='mic_mm.MixVisionTransformer',
        embed_dims=32,
        num_stages=3,
        num_layers=[1, 1, 1],
        num_heads=[1, 2, 4],
        patch_sizes=[7, 3, 3],
        strides=[4, 2, 2],
        # Keys of 8x8, 8x8 and 4x4 cells: with the ratios for large images, of 2x2.
        sr_ratios=[2, 1, 1],
        out_indices=(0, 1, 2)),
    decode_head=dict(
        type='mic_mm.DAFormerHead',
        in_channels=[32, 64, 128],
        in_index=[0, 1, 2],
        embed_channels=16,
        channels=32,
        # A map of 16x16 cells: the dilations of DAFormer would look past its border.
        fusion=dict(type='mic_mm.ASPPFusion', dilations=(1, 3, 6)),
        dropout_ratio=0,
        num_classes=11,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        # As for the U-Net: with 0.01 training stays at `all is ground` for long.
        init_cfg=dict(
            type='Normal', std=0.3, override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=1.0)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))

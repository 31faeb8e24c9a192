# A small U-Net for 64x64 pixels, trained from scratch.  The first convolution halves the
# resolution and the logits are upsampled by two: a third of the cost.
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
        type='UNet',
        base_channels=32,
        num_stages=3,
        strides=(2, 1, 1),
        enc_num_convs=(1, 2, 2),
        dec_num_convs=(1, 1),
        downsamples=(True, True),
        enc_dilations=(1, 1, 1),
        dec_dilations=(1, 1)),
    decode_head=dict(
        type='FCNHead',
        in_channels=32,
        in_index=2,
        channels=32,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0,
        num_classes=11,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        # With the stock std of 0.01 training stays at `all is ground` for hundreds
        # of iterations.
        init_cfg=dict(
            type='Normal', std=0.3, override=dict(name='conv_seg')),
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=1.0)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))

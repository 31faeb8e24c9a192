# The cost of an iteration of MIC on HRDA, as the original was measured: 2 source and 2 target
# images of 512x512 with a detail of 256x256, MiT-B0; jitter and blur always.
#     python tools/benchmark/train_iteration.py <this file>
_base_ = ('../seg/gta2cityscapes/'
          'mic-hrda_mit-b5_1xb2-40k_gta-1024x1024_cityscapes-1024x1024.py')
_color = dict(jitter_probability=1., blur_probability=1.)
model = dict(
    segmentor=dict(
        data_preprocessor=dict(size=(512, 512)),
        hr_crop_size=(256, 256),
        backbone=dict(
            embed_dims=32, num_layers=[2, 2, 2, 2], init_cfg=None),
        decode_head=dict(
            single_scale_head=dict(in_channels=[32, 64, 160, 256])),
        test_cfg=dict(crop_size=(512, 512), stride=(256, 256))),
    objectives=dict(
        self_training=dict(color_aug=_color), mic=dict(color_aug=_color)))

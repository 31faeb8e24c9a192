# The cost of an iteration of MIC on DAFormer, as the original was measured: 2 source and 2
# target images of 256x256, MiT-B0; jitter and blur always, as they cost something.
#     python tools/benchmark/train_iteration.py <this file>
_base_ = ('../seg/gta2cityscapes/'
          'mic-daformer_mit-b5_1xb2-40k_gta-512x512_cityscapes-512x512.py')
_color = dict(jitter_probability=1., blur_probability=1.)
model = dict(
    segmentor=dict(
        data_preprocessor=dict(size=(256, 256)),
        backbone=dict(
            embed_dims=32, num_layers=[2, 2, 2, 2], init_cfg=None),
        decode_head=dict(in_channels=[32, 64, 160, 256])),
    labeller=dict(ignore_bottom=60),
    objectives=dict(
        self_training=dict(color_aug=_color),
        mic=dict(color_aug=_color, mask=dict(block_size=32))))

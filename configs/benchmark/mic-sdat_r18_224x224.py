# The cost of an iteration of MIC on SDAT: ResNet-18, 16 source and 16 target images of 224x224;
# with `--size 64 64` as the original was measured (and then
# model.objectives.mic.mask.block_size=16).
#     python tools/benchmark/train_iteration.py <this file>
_base_ = '../cls/visda/mic-sdat_r101_1xb32-30k_visda2017.py'
model = dict(
    classifier=dict(
        backbone=dict(depth=18, init_cfg=None), neck=dict(in_channels=512)),
    labeller=dict(weight='prob'))
train_dataloader = dict(batch_size=16)
# One kernel for the whole step: SGD as it is takes longer than the pass of the teacher here.
optim_wrapper = dict(optimizer=dict(fused=True))

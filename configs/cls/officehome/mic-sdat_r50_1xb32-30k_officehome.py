_base_ = 'sdat_r50_1xb32-30k_officehome.py'
work_dir = ('work_dirs/{{ fileBasenameNoExtension }}/'
            '{{$SOURCE_DOMAIN:Art}}-{{$TARGET_DOMAIN:Clipart}}')

# The original decides once per run whether to jitter and to blur; in all published runs
# it does both.
model = dict(
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
    labeller=dict(type='mic_mm.ClassLabeller', weight=None),
    objectives=dict(
        mic=dict(
            type='mic_mm.MaskedConsistency',
            mask=dict(type='mic_mm.BlockMask', ratio=0.7, block_size=64),
            color_aug=dict(
                type='mic_mm.ColorAugmentation',
                jitter_probability=1.0,
                blur_probability=1.0))))

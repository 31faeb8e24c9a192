# Detection on street scenes of Cityscapes' size: short side 800, long side 1600 at most.
# Boxes of tools/dataset_converters/{cityscapes_detection,foggy_cityscapes,sim10k,kitti}.py.
#
# Images are loaded as SADA and MIC do: Pillow's bilinear interpolation, BGR.
_resize = dict(
    type='Resize', scale=(1600, 800), keep_ratio=True, backend='pillow')
_meta_keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor',
              'flip', 'flip_direction')

labelled_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    _resize,
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs', meta_keys=_meta_keys),
]
# For networks with the geometry of maskrcnn-benchmark: boxes end at their last pixel.
inclusive_pipeline = [
    *labelled_pipeline[:-1],
    dict(type='mic_mm.InclusiveBoxes'),
    labelled_pipeline[-1],
]
# Strong augmentation of MMDetection's Soft Teacher without its geometry, for a fair
# source-only baseline: what MIC's students see of colour and occlusion, on source images.
strong_pipeline = [
    *labelled_pipeline[:-1],
    dict(
        type='RandAugment',
        aug_space=[
            [dict(type='ColorTransform')],
            [dict(type='AutoContrast')],
            [dict(type='Equalize')],
            [dict(type='Sharpness')],
            [dict(type='Posterize')],
            [dict(type='Solarize')],
            [dict(type='Color')],
            [dict(type='Contrast')],
            [dict(type='Brightness')],
        ],
        aug_num=1),
    dict(type='RandomErasing', n_patches=(1, 5), ratio=(0, 0.2)),
    labelled_pipeline[-1],
]
strong_inclusive_pipeline = [
    *strong_pipeline[:-1],
    dict(type='mic_mm.InclusiveBoxes'),
    strong_pipeline[-1],
]
unlabelled_pipeline = [
    dict(type='LoadImageFromFile'),
    _resize,
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs', meta_keys=_meta_keys),
]
# Annotations are loaded behind Resize: boxes are compared at the stored size.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    _resize,
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
                   'scale_factor')),
]
# Images without a box are not trained on, as in the original.
filter_cfg = dict(filter_empty_gt=True)

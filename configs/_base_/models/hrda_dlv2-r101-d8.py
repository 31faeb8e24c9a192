# HRDA on DeepLabV2: the whole crop of 1024x1024 at half resolution, a detail of 512x512 at full
# resolution.
_base_ = 'dlv2_r101-d8.py'
model = dict(
    type='mic_mm.HRDAEncoderDecoder',
    scales=(0.5, 1),
    hr_crop_size=(512, 512),
    data_preprocessor=dict(size=(1024, 1024)),
    decode_head=dict(
        _delete_=True,
        type='mic_mm.HRDAHead',
        single_scale_head=_base_.model.decode_head,
        attention_classwise=True,
        hr_loss_weight=0.1),
    test_cfg=dict(
        mode='slide',
        batched_slide=True,
        crop_size=(1024, 1024),
        stride=(512, 512)))

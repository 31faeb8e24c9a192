# HRDA in small, on the network of tiny-daformer: the context is seen at 32x32 pixels, the
# detail in a crop of 48 of the 64 pixels, for predictions in four of them.  With so few
# places the crop may lie at the right and lower border too, which HRDA never draws.
_base_ = 'tiny-daformer_digits.py'
model = dict(
    type='mic_mm.HRDAEncoderDecoder',
    scales=(0.5, 1),
    hr_crop_size=(48, 48),
    crop_full_range=True,
    decode_head=dict(
        _delete_=True,
        type='mic_mm.HRDAHead',
        attention_channels=16,
        single_scale_head={{_base_.model.decode_head}}))

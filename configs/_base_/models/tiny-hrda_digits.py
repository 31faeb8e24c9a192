# HRDA in small, on the network of tiny-daformer, for images enlarged to 128x128 pixels: the
# context is seen at 64x64, the detail in a crop of 64x64, for predictions in four windows.
# With so few places the crop may lie at the right and lower border too, which HRDA never
# draws; windows that overlap would double the time of a pseudo-label.
_base_ = 'tiny-daformer_digits.py'
model = dict(
    type='mic_mm.HRDAEncoderDecoder',
    data_preprocessor=dict(size=(128, 128)),
    scales=(0.5, 1),
    hr_crop_size=(64, 64),
    crop_full_range=True,
    hr_slide_overlapping=False,
    decode_head=dict(
        _delete_=True,
        type='mic_mm.HRDAHead',
        attention_channels=16,
        single_scale_head={{_base_.model.decode_head}}))

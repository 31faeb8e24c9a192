# Labels alone, in the frame of UDA: masked images with labels can be added.
uda = dict(
    type='mic_mm.UDASegmentor',
    objectives=dict(source=dict(type='mic_mm.SegSourceSupervision')))

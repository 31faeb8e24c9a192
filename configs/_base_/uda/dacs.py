# DACS: self-training on images into which source classes are pasted.
uda = dict(
    type='mic_mm.UDASegmentor',
    teacher=dict(type='mic_mm.EMATeacher', alpha=0.99),
    labeller=dict(type='mic_mm.PixelLabeller', threshold=0.968),
    objectives=dict(
        source=dict(type='mic_mm.SegSourceSupervision'),
        self_training=dict(
            type='mic_mm.ClassMixSelfTraining',
            color_aug=dict(type='mic_mm.ColorAugmentation', share='sample'))))

# AdaptSegNet on the last layer, with the least-squares criterion.
# Needs an optimizer for the discriminator: schedules/sgd_40k_adversarial.py.
uda = dict(
    type='mic_mm.UDASegmentor',
    objectives=dict(
        source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True),
        adversarial=dict(
            type='mic_mm.OutputSpaceAlignment',
            criterion='least_squares',
            student_weight=0.001)))

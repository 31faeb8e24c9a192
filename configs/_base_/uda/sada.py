# SADA as the paper describes it: all levels have an instance classifier.
uda = dict(
    type='mic_mm.UDADetector',
    objectives=dict(
        joint=dict(
            type='mic_mm.DomainAdversarialDetection',
            image_head=dict(gradient_scale=0.025),
            instance_head=dict(gradient_scale=0.1),
            consistency=dict(gradient_scale=0.1))))

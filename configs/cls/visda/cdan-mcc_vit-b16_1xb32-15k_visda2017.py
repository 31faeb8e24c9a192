_base_ = [
    '../../_base_/models/vit-b16_bottleneck.py',
    '../../_base_/datasets/visda2017.py',
    '../../_base_/schedules/sgd-inverse-decay_15k.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

model = dict(
    _delete_=True,
    type='mic_mm.UDAClassifier',
    classifier={{_base_.model}},
    objectives=dict(
        joint=dict(
            type='mic_mm.JointSupervision',
            terms=dict(
                mcc=dict(
                    type='mic_mm.MinimumClassConfusion', temperature=2.0),
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=12,
                    feature_dim=256)))))

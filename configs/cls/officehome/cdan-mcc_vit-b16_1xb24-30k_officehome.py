_base_ = [
    '../../_base_/models/vit-b16_bottleneck.py',
    '../../_base_/datasets/officehome.py',
    '../../_base_/schedules/sgd-inverse-decay_30k.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'
work_dir = ('work_dirs/{{ fileBasenameNoExtension }}/'
            '{{$SOURCE_DOMAIN:Art}}-{{$TARGET_DOMAIN:Clipart}}')

model = dict(
    _delete_=True,
    type='mic_mm.UDAClassifier',
    classifier=dict(
        _base_.model, head=dict(_base_.model.head, num_classes=65)),
    objectives=dict(
        joint=dict(
            type='mic_mm.JointSupervision',
            terms=dict(
                mcc=dict(
                    type='mic_mm.MinimumClassConfusion', temperature=2.0),
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=65,
                    feature_dim=256)))))
train_dataloader = dict(batch_size=24)

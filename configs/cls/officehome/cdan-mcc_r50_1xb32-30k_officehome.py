# Not a setting of MIC: learning rate, temperature and bottleneck are those of SDAT.
_base_ = [
    '../../_base_/models/r50_bottleneck.py',
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
                    type='mic_mm.MinimumClassConfusion', temperature=2.5),
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=65,
                    feature_dim=2048)))))
optim_wrapper = dict(optimizer=dict(lr=0.01))

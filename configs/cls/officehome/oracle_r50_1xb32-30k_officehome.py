# Trained on the labels of the target: what there is to gain.
_base_ = 'source-only_r50_1xb32-30k_officehome.py'
work_dir = ('work_dirs/{{ fileBasenameNoExtension }}/'
            '{{$SOURCE_DOMAIN:Art}}-{{$TARGET_DOMAIN:Clipart}}')
train_dataloader = dict(
    dataset=dict(source=dict(_delete_=True, **_base_.target_train_labelled)))

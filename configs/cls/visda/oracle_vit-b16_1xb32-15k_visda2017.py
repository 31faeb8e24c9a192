# Trained on the labels of the target: what there is to gain.
_base_ = 'source-only_vit-b16_1xb32-15k_visda2017.py'
train_dataloader = dict(
    dataset=dict(source=dict(_delete_=True, **_base_.target_train_labelled)))

# Office-31: 31 classes in the domains amazon, dslr and webcam, 6 pairs.
# The pair is chosen by two environment variables, as in
#   SOURCE_DOMAIN=webcam TARGET_DOMAIN=amazon python tools/train.py CONFIG
# List files by tools/dataset_converters/office31.py
# _scope_: the transforms are MMPretrain's, for configs that inherit it by mic_mm:: too.
_base_ = 'cls_224.py'
data_root = 'data/office31/'


def _domain(name, pipeline, **kwargs):
    return dict(
        type='mic_mm.Office31',
        _scope_='mmpretrain',
        data_root=data_root,
        ann_file=f'image_list/{name}.txt',
        pipeline=pipeline,
        **kwargs)


_source = '{{$SOURCE_DOMAIN:amazon}}'
_target = '{{$TARGET_DOMAIN:dslr}}'
_train = _base_.train_pipeline
_test = dict(dataset=_domain(_target, _base_.test_pipeline))
data_preprocessor = dict(num_classes=31)
train_dataloader = dict(
    dataset=dict(
        source=_domain(_source, _train),
        # The labels in the list are left unread.
        target=_domain(_target, _train, with_label=False)))
val_dataloader = _test
test_dataloader = _test
# What the oracle is allowed to see.
target_train_labelled = _domain(_target, _train)

# Office-Home: 65 classes in the domains Art, Clipart, Product and Real_World, 12 pairs.
# The pair is chosen by two environment variables, as in
#   SOURCE_DOMAIN=Product TARGET_DOMAIN=Real_World python tools/train.py CONFIG
# List files by tools/dataset_converters/officehome.py
# _scope_: the transforms are MMPretrain's, for configs that inherit it by mic_mm:: too.
_base_ = 'cls_224.py'
data_root = 'data/office-home/'


def _domain(name, pipeline, **kwargs):
    return dict(
        type='mic_mm.OfficeHome',
        _scope_='mmpretrain',
        data_root=data_root,
        ann_file=f'image_list/{name}.txt',
        pipeline=pipeline,
        **kwargs)


_source = '{{$SOURCE_DOMAIN:Art}}'
_target = '{{$TARGET_DOMAIN:Clipart}}'
_train = _base_.train_pipeline
_test = dict(dataset=_domain(_target, _base_.test_pipeline))
data_preprocessor = dict(num_classes=65)
train_dataloader = dict(
    dataset=dict(
        source=_domain(_source, _train),
        # The labels in the list are left unread.
        target=_domain(_target, _train, with_label=False)))
val_dataloader = _test
test_dataloader = _test
# What the oracle is allowed to see.
target_train_labelled = _domain(_target, _train)

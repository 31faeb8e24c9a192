# DomainNet: 345 classes in the domains clipart, infograph, painting, quickdraw, real and
# sketch, 30 pairs, with a split for training and one for testing.
# The pair is chosen by two environment variables, as in
#   SOURCE_DOMAIN=real TARGET_DOMAIN=sketch python tools/train.py CONFIG
# List files, also the names of the classes, by tools/dataset_converters/domainnet.py
# _scope_: the transforms are MMPretrain's, for configs that inherit it by mic_mm:: too.
_base_ = 'cls_224.py'
data_root = 'data/domainnet/'


def _domain(name, split, pipeline, **kwargs):
    return dict(
        type='mic_mm.ClassificationDataset',
        _scope_='mmpretrain',
        classes=f'{data_root}image_list/classes.txt',
        data_root=data_root,
        ann_file=f'image_list/{name}_{split}.txt',
        pipeline=pipeline,
        # Some domains have no test image of some classes.
        allow_empty_classes=split == 'test',
        **kwargs)


_source = '{{$SOURCE_DOMAIN:clipart}}'
_target = '{{$TARGET_DOMAIN:sketch}}'
_train = _base_.train_pipeline
_test = dict(dataset=_domain(_target, 'test', _base_.test_pipeline))
data_preprocessor = dict(num_classes=345)
train_dataloader = dict(
    dataset=dict(
        source=_domain(_source, 'train', _train),
        # The labels in the list are left unread.
        target=_domain(_target, 'train', _train, with_label=False)))
val_dataloader = _test
test_dataloader = _test
# What the oracle is allowed to see.
target_train_labelled = _domain(_target, 'train', _train)

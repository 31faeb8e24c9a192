# VisDA-2017: synthetic renderings (152 397) -> photographs (55 388), 12 classes.
# List files by tools/dataset_converters/visda2017.py
# _scope_: the transforms are MMPretrain's, for configs that inherit it by mic_mm:: too.
_base_ = 'cls_224.py'
data_root = 'data/visda-2017/'


def _domain(name, pipeline, **kwargs):
    return dict(
        type='mic_mm.VisDA2017',
        _scope_='mmpretrain',
        data_root=data_root,
        ann_file=f'image_list/{name}.txt',
        pipeline=pipeline,
        **kwargs)


_train = _base_.train_pipeline_center_crop
_test = dict(dataset=_domain('validation', _base_.test_pipeline))
data_preprocessor = dict(num_classes=12)
train_dataloader = dict(
    dataset=dict(
        source=_domain('train', _train),
        # The labels in the list are left unread.
        target=_domain('validation', _train, with_label=False)))
val_dataloader = _test
test_dataloader = _test
# What the oracle is allowed to see.
target_train_labelled = _domain('validation', _train)

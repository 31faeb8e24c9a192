# Copyright (c) mic_mm authors. All rights reserved.
"""Bad input, as files on disk."""
import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mic_mm.engine.data import PairIndex
from mic_mm.registry import DATASETS
from mic_mm.testing.datasets import CLASSES, write_domain


@pytest.fixture(autouse=True)
def messages(monkeypatch):
    """What is logged: (level, message)."""
    found = []
    monkeypatch.setattr(
        'mic_mm.det.datasets.domain_coco_dataset.print_log',
        lambda message, logger=None, level=20: found.append((level, message)))
    MMLogger.get_instance('mmengine')
    return found


@pytest.fixture
def data(tmp_path):
    """Four images of 32x32 with a box each; a config that reads them."""
    cfg = write_domain('det', tmp_path / 'data')
    cfg.update(_scope_='mmdet', type='mic_mm.DomainCocoDataset')
    return cfg


def ann_file(data):
    from pathlib import Path
    return Path(data['data_root']) / data['ann_file']


def change(data, **lists):
    """Replace lists of the annotation file."""
    path = ann_file(data)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **lists}))


def annotations(data):
    return json.loads(ann_file(data).read_text())['annotations']


def build(data, **options):
    return DATASETS.build({**data, **options})


def test_good_file_is_read_as_by_the_stock_dataset(data, messages):
    ours = build(data)
    stock = build(data, type='CocoDataset')
    assert len(ours) == len(stock) == 4
    for i in range(4):
        assert ours.get_data_info(i) == stock.get_data_info(i)
    assert messages == []


@pytest.mark.parametrize('text, message', [
    ('', 'is empty'),
    ('{"images": [', 'no JSON'),
    ('[]', 'no COCO file'),
    ('{"images": [], "annotations": [], "categories": []}', 'lists no image'),
    ('{"annotations": []}', 'no list images and no list categories'),
])
def test_file_that_cannot_be_used_is_named(text, message, data):
    ann_file(data).write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        build(data)
    assert str(ann_file(data)) in str(error.value)


def test_missing_file_is_named(data):
    ann_file(data).unlink()
    with pytest.raises(FileNotFoundError, match='dataset_converters'):
        build(data)


def test_class_that_the_file_lacks_is_refused(data):
    change(data, categories=[dict(id=1, name='cat'), dict(id=2, name='cow')])
    with pytest.raises(ValueError, match=r"no category \['dog'\].*cow"):
        build(data)


def test_classes_in_another_order_are_refused(data):
    with pytest.raises(ValueError, match='in the order'):
        build(data, metainfo=dict(classes=CLASSES[::-1]))


def test_one_of_the_classes_may_be_used(data):
    dataset = build(data, metainfo=dict(classes=('dog', )))
    boxes = [len(dataset.get_data_info(i)['instances']) for i in range(4)]
    assert boxes == [0, 1, 0, 1]


BAD = {
    'a category that is not listed': dict(category_id=77),
    'an image that is not listed': dict(image_id=77),
    'a box without area': dict(bbox=[4, 4, 0, 12]),
    'a box outside of its image': dict(bbox=[40, 4, 12, 12]),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_annotations_are_counted_and_left_out(kind, data, messages):
    entries = annotations(data)
    for index in (1, 2):
        entries[index].update(BAD[kind])
    change(data, annotations=entries)
    dataset = build(data)
    boxes = [len(dataset.get_data_info(i)['instances']) for i in range(4)]
    assert boxes == [1, 0, 0, 1]
    level, message = messages[0]
    assert level == 30
    assert f'2 of 4 annotations have {kind}' in message
    assert 'annotation 2' in message and 'annotation 3' not in message


def test_box_partly_outside_is_cut_off(data, messages):
    entries = annotations(data)
    entries[0]['bbox'] = [20, 20, 30, 30]
    change(data, annotations=entries)
    dataset = build(
        data,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='Resize', scale=(32, 32), keep_ratio=True),
            dict(type='PackDetInputs')
        ])
    box = dataset[0]['data_samples'].gt_instances.bboxes.tensor
    assert box.tolist() == [[20, 20, 32, 32]]
    assert messages == []


def test_images_without_a_box_to_train_on_are_filtered(data, messages):
    entries = annotations(data)
    entries[0]['iscrowd'] = 1  # MMDetection's filter keeps this ...
    entries[1]['bbox'] = [40, 4, 12, 12]  # ... and this
    change(data, annotations=entries[:3])
    dataset = build(data, filter_cfg=dict(filter_empty_gt=True))
    assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))
            ] == [2]
    assert '3 of 4 images have no box and are left out' in messages[-1][1]


def test_images_without_a_box_are_background_otherwise(data, messages):
    change(data, annotations=annotations(data)[:1])
    assert len(build(data)) == 4
    assert '3 of 4 images have no box and are trained on as background' in (
        messages[-1][1])


def test_no_image_left_is_an_error(data):
    change(data, annotations=[])
    with pytest.raises(ValueError, match='no image left to train on: 4 of 4'):
        build(data, filter_cfg=dict(filter_empty_gt=True))


def test_file_without_annotations_serves_the_unlabelled_target(data):
    content = json.loads(ann_file(data).read_text())
    del content['annotations']
    ann_file(data).write_text(json.dumps(content))
    assert len(build(data)) == 4


def test_validation_keeps_all_images(data):
    change(data, annotations=annotations(data)[:1])
    dataset = build(
        data, filter_cfg=dict(filter_empty_gt=True), test_mode=True)
    assert len(dataset) == 4


def pairs(data, tmp_path, **options):
    target = write_domain('det', tmp_path / 'target')
    return DATASETS.build(
        dict(
            type='mic_mm.DomainPairDataset',
            source=data,
            target=dict(target, _scope_='mmdet'),
            **options))


def item(dataset, source):
    return dataset[PairIndex(source, 0, 0, 0)]['source']


def test_missing_image_is_named_or_skipped(data, tmp_path):
    missing = tmp_path / 'data' / 'img' / '2.png'
    missing.unlink()
    with pytest.raises(OSError, match='source image .*2.png cannot be read'):
        item(pairs(data, tmp_path), 2)
    other = item(pairs(data, tmp_path, max_corrupt=1), 2)
    assert other['data_samples'].img_id != 2


def test_first_image_missing_is_found_before_training(data, tmp_path):
    (tmp_path / 'data' / 'img' / '0.png').unlink()
    with pytest.raises(FileNotFoundError, match='source dataset lists.*0.png'):
        pairs(data, tmp_path)


def test_errors_of_the_file_reach_the_user_of_a_pair(data, tmp_path):
    ann_file(data).write_text('')
    with pytest.raises(ValueError, match='is empty'):
        pairs(data, tmp_path)


def test_classes_of_the_domains_have_to_agree(data, tmp_path):
    with pytest.raises(ValueError, match='source has 1 and the target 2'):
        pairs(dict(data, metainfo=dict(classes=('dog', ))), tmp_path)


def test_images_without_boxes_train(data, tmp_path):
    """A batch in which no image has a box gives finite losses."""
    from mic_mm.testing.models import tiny_detector
    change(data, annotations=[])
    target = dict(write_domain('det', tmp_path / 'target'), _scope_='mmdet')
    runner = Runner.from_cfg(
        Config(
            dict(
                default_scope='mmdet',
                model=dict(
                    type='mic_mm.UDADetector',
                    detector=tiny_detector(num_classes=2),
                    objectives=dict(
                        source=dict(type='mic_mm.SourceSupervision'))),
                train_dataloader=dict(
                    batch_size=2,
                    num_workers=0,
                    sampler=dict(type='mic_mm.DomainPairSampler'),
                    dataset=dict(
                        type='mic_mm.DomainPairDataset',
                        source=data,
                        target=target)),
                train_cfg=dict(type='IterBasedTrainLoop', max_iters=2),
                optim_wrapper=dict(
                    constructor='mic_mm.UDAOptimWrapperConstructor',
                    optimizer=dict(type='SGD', lr=0.01)),
                default_hooks=dict(
                    checkpoint=None, logger=dict(type='LoggerHook',
                                                 interval=1)),
                log_processor=dict(by_epoch=False),
                work_dir=str(tmp_path / 'work'),
                experiment_name=tmp_path.name)))
    runner.train()
    loss = runner.message_hub.log_scalars['train/loss'].current()
    assert np.isfinite(loss) and loss > 0

# Copyright (c) mic_mm authors. All rights reserved.
"""Folders that cannot be used are refused by name; configs say what is asked."""
import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope
from PIL import Image

from mic_mm.registry import DATASETS
from mic_mm.utils.cli import UsageError
from mic_mm.utils.new_config import command_line
from mic_mm.utils.new_config.base_config import BaseConfig
from mic_mm.utils.new_config.domain_facts import find_images, image_sizes
from mic_mm.utils.new_config.model_text import block_size

BASES = {
    'seg': 'mmseg::deeplabv3/deeplabv3_r101-d16-mg124_4xb2-40k_cityscapes-'
           '512x1024.py',
    'cls': 'mmpretrain::swin_transformer/swin-tiny_16xb64_in1k.py',
    'det': 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py',
}
LIBRARIES = {'seg': 'mmseg', 'cls': 'mmpretrain', 'det': 'mmdet'}


@pytest.fixture(params=LIBRARIES)
def task(request):
    pytest.importorskip(LIBRARIES[request.param])
    return request.param


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Folders with three images each, of 40x60 pixels, and labels."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ('source', 'target', 'val'):
        for i in range(3):
            path = tmp_path / name / ('cat', 'dog')[i % 2] / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
            labels = np.full((40, 60), i, np.uint8)
            labels[0] = 255
            path = tmp_path / f'{name}_maps' / path.parent.name / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(labels).save(path)
        write_boxes(tmp_path, name)
    return tmp_path


def write_boxes(root, name, **changes):
    content = dict(
        images=[
            dict(id=i, width=60, height=40,
                 file_name=f'{("cat", "dog")[i % 2]}/{i}.png')
            for i in range(3)
        ],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        annotations=[
            dict(id=1, image_id=0, category_id=1, bbox=[1, 2, 10, 20],
                 area=200, iscrowd=0)
        ])
    content.update(changes)
    (root / f'{name}.json').write_text(json.dumps(content))


def arguments(task, *more, val=True):
    parser = argparse.ArgumentParser()
    command_line.add_folder_arguments(parser)
    command_line.add_config_arguments(parser)
    domains = ['source', 'val'] if val else ['source']
    words = ['--task', task, '--target', 'target', '--base', BASES[task],
             '--out', 'mine.py', '--nproc', '1']
    for name in domains:
        words += [f'--{name}', name]
        if task != 'cls':
            labels = f'{name}_maps' if task == 'seg' else f'{name}.json'
            words += [f'--{name}-labels', labels]
    return parser.parse_args([*words, *more])


def written(task, *more, **kwargs):
    return Config.fromfile(
        command_line.write_config(arguments(task, *more, **kwargs)))


def refused(task, *more, **kwargs):
    with pytest.raises(UsageError) as error:
        command_line.write_config(arguments(task, *more, **kwargs))
    return str(error.value)


def test_config_says_what_is_asked(task, images):
    cfg = written(task, '--batch-size', '3', '--iterations', '700')
    model = cfg.model
    assert set(model.objectives) == {'source', 'self_training', 'mic'}
    student = model[dict(
        seg='segmentor', cls='classifier', det='detector')[task]]
    head = student[dict(seg='decode_head', cls='head', det='bbox_head')[task]]
    assert head.num_classes == dict(seg=3, cls=2, det=2)[task]
    assert cfg.default_scope == LIBRARIES[task]
    assert cfg.train_dataloader.batch_size == 3
    assert cfg.train_cfg.to_dict() == dict(
        type='IterBasedTrainLoop', max_iters=700, val_interval=70)
    assert all(s.by_epoch is False for s in cfg.param_scheduler)
    assert cfg.param_scheduler[-1].end == 700
    assert not cfg.get('custom_hooks')
    target = cfg.train_dataloader.dataset.target
    assert 'seg_map_path' not in target.data_prefix
    assert not any(t['type'] == 'LoadAnnotations' for t in target.pipeline)
    if task != 'cls':  # The libraries' own colours are alike.
        assert len(set(map(tuple, target.metainfo.palette))) == head.num_classes


@pytest.mark.parametrize('iterations', [2, 10, 49, 50, 100])
def test_the_learning_rate_is_reached_and_falls(images, iterations):
    pytest.importorskip('mmdet')
    cfg = written('det', '--iterations', str(iterations))
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(scheduler, optimizer=optimizer))
        for scheduler in cfg.param_scheduler
    ]
    rates = []
    for _ in range(iterations):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    highest = rates.index(max(rates))
    assert max(rates) > 0.95 and highest <= max(iterations // 25, 1)
    assert rates[highest:] == sorted(rates[highest:], reverse=True)
    assert rates[-1] <= 2 / iterations


def test_text_depends_on_nothing_else(task, images):
    command_line.write_config(arguments(task))
    first = (images / 'mine.py').read_text()
    command_line.write_config(arguments(task, '--force'))
    assert (images / 'mine.py').read_text() == first
    assert str(images) not in first


@pytest.mark.parametrize('method, objectives, teacher', [
    ('self-training', {'source', 'self_training'}, True),
    ('source-only', {'source'}, False),
])
def test_method(images, method, objectives, teacher):
    pytest.importorskip('mmseg')
    model = written('seg', '--method', method).model
    assert set(model.objectives) == objectives
    assert ('teacher' in model) == teacher


def test_what_belongs_to_the_base_is_taken_out(task, images):
    text = written(task, '--no-pretrained').pretty_text
    model = Config.fromstring(text, '.py').model
    student = Config(dict(model=model[dict(
        seg='segmentor', cls='classifier', det='detector')[task]]))
    base = BaseConfig('mine', task, student)
    assert base.pretrained() == []
    assert base.synchronised_norms() == []
    assert base.pixel_samplers() == []
    assert base.frozen() == []
    if task == 'cls':
        assert student.model.train_cfg is None


def test_without_labelled_target_nothing_is_evaluated(task, images):
    cfg = written(task, val=False)
    for stage in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            assert cfg[f'{stage}_{part}'] is None


def test_crop_fits_into_the_smallest_image(images):
    pytest.importorskip('mmseg')
    assert written('seg').size == (32, 32)
    assert '--size 64 64' in refused('seg', '--size', '64', '--force')
    assert written('seg', '--size', '40', '60', '--force').size == (40, 60)


def test_learning_rate_of_the_base_is_for_its_batch(images):
    pytest.importorskip('mmdet')
    # 0.01 for 64 images
    cfg = written('det', '--batch-size', '4')
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(0.000625)
    cfg = written('det', '--lr', '0.5', '--force')
    assert cfg.optim_wrapper.optimizer.lr == 0.5


def test_blocks_have_the_proportion_of_mic():
    assert block_size('seg', (512, 512)) == 32
    assert block_size('seg', (1024, 1024)) == 64
    assert block_size('cls', (224, 224)) == 64
    assert block_size('det', (800, 1333)) == 32


def test_label_maps_that_cannot_be_used_are_named(images):
    pytest.importorskip('mmseg')
    path = images / 'source_maps' / 'dog' / '1.png'
    good = path.read_bytes()
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path)
    assert 'dog/1.png' in (message := refused('seg'))
    assert 'colours' in message
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(path)
    assert '40x50' in (message := refused('seg')) and '40x60' in message
    path.unlink()
    assert 'dog/1.png: does not exist' in refused('seg')
    path.write_bytes(good)
    assert '[2]' in (message := refused('seg', '--num-classes', '2'))
    assert 'cat/2.png' in message and '--num-classes' in message
    assert not (images / 'mine.py').exists()


def test_endings_of_label_maps_are_found(images):
    pytest.importorskip('mmseg')
    for path in (images / 'source_maps').rglob('*.png'):
        path.rename(path.with_name(f'{path.stem}_labelTrainIds.png'))
    source = written('seg').train_dataloader.dataset.source
    assert source.seg_map_suffix == '_labelTrainIds.png'
    assert source.img_suffix == '.png'


def test_a_given_ending_is_looked_for_in_its_case(tmp_path):
    for name in ('1.png', '2.PNG'):
        (tmp_path / name).touch()
    assert [p.name for p in find_images(tmp_path, 'source', '.png')] == ['1.png']
    assert len(find_images(tmp_path, 'source')) == 2


def test_images_that_cannot_be_read_are_named(task, images):
    path = images / 'target' / 'cat' / '2.png'
    path.write_bytes(path.read_bytes()[:-60])
    assert 'target/cat/2.png' in refused(task)


def test_sizes_are_those_of_images_turned_by_exif(tmp_path):
    mmcv = pytest.importorskip('mmcv')
    exif = Image.Exif()
    paths = []
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        paths.append(tmp_path / f'{orientation}.jpg')
        Image.new('RGB', (60, 40)).save(paths[-1], exif=exif)
    loaded = [mmcv.imread(path).shape[:2] for path in paths]
    assert set(loaded) == {(40, 60), (60, 40)}
    assert image_sizes(paths, 'source') == loaded
    assert image_sizes(paths, 'source', decode=False) == loaded


def test_class_folders_have_to_agree(images):
    pytest.importorskip('mmpretrain')
    (images / 'val' / 'dog').rename(images / 'val' / 'cow')
    assert 'cow' in (message := refused('cls')) and 'dog' in message


def test_number_of_classes_is_that_of_the_folders(images):
    pytest.importorskip('mmpretrain')
    assert written('cls', '--num-classes', '2').classes == ('cat', 'dog')
    message = refused('cls', '--num-classes', '3', '--force')
    assert '--num-classes 3' in message and 'cat, dog' in message


def test_what_is_checked_is_what_is_trained_on(images):
    pytest.importorskip('mmpretrain')
    picture = Image.open(images / 'source' / 'cat' / '0.png')
    for domain, name in (('source', 'cat'), ('target', 'cat')):
        picture.save(images / domain / name / 'b.webp')
        picture.save(images / domain / name / 'c.TIFF')
        (images / domain / name / '._d.png').write_bytes(b'no image')
        for folder in ('.ipynb_checkpoints', '__MACOSX'):
            (images / domain / folder).mkdir()
            picture.save(images / domain / folder / '0.png')
    facts = command_line.check_folders(arguments('cls'))
    assert [f.count for f in facts] == [5, 5, 3]
    data = written('cls').train_dataloader.dataset
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert [len(DATASETS.build(data[name]))
                for name in ('source', 'target')] == [5, 5]


def test_boxes_have_to_fit_to_the_images(images):
    pytest.importorskip('mmdet')
    boxes = json.loads((images / 'source.json').read_text())['images']
    boxes[1]['width'] = 61
    write_boxes(images, 'source', images=boxes)
    assert 'dog/1.png' in (message := refused('det')) and '40x61' in message
    boxes[1]['file_name'] = 'dog/7.png'
    write_boxes(images, 'source', images=boxes)
    assert 'dog/7.png' in refused('det')


def test_target_of_detection_is_listed_without_boxes(images):
    pytest.importorskip('mmdet')
    cfg = written('det')
    content = json.loads((images / 'mine_target.json').read_text())
    assert cfg.train_dataloader.dataset.target.ann_file == 'mine_target.json'
    assert content['annotations'] == []
    assert [image['file_name'] for image in content['images']
            ] == ['cat/0.png', 'cat/2.png', 'dog/1.png']
    assert content['images'][0]['width'] == 60


def test_images_of_another_ending_are_not_in_the_target_of_detection(images):
    pytest.importorskip('mmdet')
    Image.open(images / 'target/cat/0.png').save(images / 'target/cat/0_depth.png')
    written('det', '--image-suffix', '0.png')
    content = json.loads((images / 'mine_target.json').read_text())
    assert [image['file_name'] for image in content['images']] == ['cat/0.png']


@pytest.mark.parametrize('base, words', [
    ('mmseg::no/such.py', 'no such config'),
    ('no_such.py', 'no such config'),
    ('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py', 'mmdet'),
])
def test_bases_that_do_not_fit_are_refused(images, base, words):
    pytest.importorskip('mmseg')
    pytest.importorskip('mmdet')
    assert words in refused('seg', '--base', base)


NETWORKS = Path(__file__).parents[3] / 'configs/seg/gta2cityscapes'


@pytest.mark.parametrize('network', ['daformer', 'hrda'])
def test_networks_of_the_paper_are_bases(images, network):
    pytest.importorskip('mmseg')
    path, = NETWORKS.glob(f'source-only_{network}-mit-b5_*.py')
    cfg = written('seg', '--base', str(path), '--no-pretrained')
    # The usual constructor is called by that of mic_mm, and is not named.
    assert 'inner_constructor' not in str(cfg.optim_wrapper)
    segmentor = cfg.model.segmentor
    if network == 'daformer':
        assert segmentor.decode_head.num_classes == 3
        return
    # The crop is that of the images, 40x60, and detail is half of it.
    assert segmentor.decode_head.single_scale_head.num_classes == 3
    assert segmentor.data_preprocessor.size == segmentor.test_cfg.crop_size == (32, 32)
    assert segmentor.hr_crop_size == segmentor.test_cfg.stride == (16, 16)


def test_samplers_of_masks_are_left_in_their_heads(images):
    pytest.importorskip('mmseg')
    cfg = written('seg', '--base',
                  'mmseg::mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py')
    assert cfg.model.segmentor.decode_head.train_cfg.sampler.type == 'mmdet.MaskPseudoSampler'


def test_detectors_with_masks_are_refused(images):
    pytest.importorskip('mmdet')
    message = refused('det', '--base',
                      'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    assert 'faster-rcnn' in message


def test_a_base_that_is_a_file_is_named_from_the_new_config(images):
    pytest.importorskip('mmseg')
    (images / 'base.py').write_text(f"_base_ = '{BASES['seg']}'")
    written('seg', '--base', 'base.py', '--out', 'configs/mine.py')
    text = (images / 'configs' / 'mine.py').read_text()
    assert "_base_ = '../base.py'" in text


def test_a_config_is_not_replaced_by_accident(task, images):
    (images / 'mine.py').write_text('mine')
    assert '--force' in refused(task)
    assert (images / 'mine.py').read_text() == 'mine'


def test_paths_of_class_settings_leave_others_alone():
    model = dict(
        rpn_head=dict(num_classes=1),
        roi_head=dict(bbox_head=[dict(num_classes=80), dict(num_classes=80)]))
    base = BaseConfig('x', 'det', Config(dict(model=model)))
    assert base.places_of_classes() == [
        '.roi_head.bbox_head[0].num_classes',
        '.roi_head.bbox_head[1].num_classes'
    ]


@pytest.mark.parametrize('option, value', [
    *product(['--iterations', '--batch-size', '--nproc', '--num-classes'],
             ['0', '-5', 'many']),
    ('--workers', '-1'),
])
def test_counts_have_to_be_positive(images, capsys, option, value):
    with pytest.raises(SystemExit):
        arguments('seg', option, value)
    assert f'argument {option}' in capsys.readouterr().err


def test_report_says_what_was_found(images, capsys):
    pytest.importorskip('mmseg')
    facts = command_line.check_folders(arguments('seg', '--num-classes', '5'))
    command_line.report(*facts)
    out = capsys.readouterr().out
    assert 'source: 3 images, 40x60 pixels, 5 classes' in out
    assert 'no pixel of class_3, class_4' in out


def test_what_a_coco_file_leaves_out_is_noted(images, capsys):
    pytest.importorskip('mmdet')
    annotation = json.loads((images / 'source.json').read_text())['annotations'][0]
    listed = json.loads((images / 'source.json').read_text())['images'][:2]
    write_boxes(
        images, 'source', images=listed,
        annotations=[annotation, dict(annotation, id=2, iscrowd=1),
                     dict(annotation, id=3, bbox=[1, 2, 0, 20])])
    command_line.report(*command_line.check_folders(
        arguments('det', '--classes', 'cat')))
    notes = [line.removeprefix('  note: source: ')
             for line in capsys.readouterr().out.splitlines()
             if line.startswith('  note: source')]
    assert notes == [
        '1 annotation with a box without area, left out',
        'boxes of dog, which --classes leaves out',
        '1 crowd box, not trained on',
        '1 image without a box',
        '1 image of the folder not listed in the COCO file, left out; the '
        'first is 2.png',
    ]

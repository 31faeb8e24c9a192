# Copyright (c) mic_mm authors. All rights reserved.
"""Each classification config trains, and has the published settings."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

pytest.importorskip('mmpretrain')

import mic_mm  # noqa: E402, F401
from mic_mm.cls import Office31, OfficeHome, VisDA2017  # noqa: E402
from mic_mm.registry import DATASETS  # noqa: E402
from mic_mm.testing.short_runs import shorten, train_config  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted([*(ROOT / 'configs/cls/visda').glob('*.py'),
                  *(ROOT / 'configs/cls/officehome').glob('*.py')])
METHODS = {
    'source-only': {'source.loss'},
    'oracle': {'source.loss'},
    'cdan': {'joint.source.loss', 'joint.cdan.loss'},
    'cdan-mcc': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss'},
    'sdat': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss'},
    'mic-sdat': {'joint.source.loss', 'joint.cdan.loss', 'joint.mcc.loss',
                 'mic.loss'},
}
DOMAINS = {
    'visda2017': ('visda-2017', VisDA2017, ('train', 'validation')),
    'officehome': ('office-home', OfficeHome,
                   ('Art', 'Clipart', 'Product', 'Real_World')),
    'office31': ('office31', Office31, ('amazon', 'dslr', 'webcam')),
}
# Networks of the same kind that are narrow enough for a test.
NARROW = {
    'r101': dict(depth=18, stem_channels=8, base_channels=4, init_cfg=None),
    'r50': dict(depth=18, stem_channels=8, base_channels=4, init_cfg=None),
    'vit-b16': dict(
        arch=dict(embed_dims=16, num_layers=1, num_heads=2,
                  feedforward_channels=16), init_cfg=None),
}
WIDTH = {'r101': 32, 'r50': 32, 'vit-b16': 16}


def parts(path):
    """Method, backbone and data set of a config's name."""
    method, backbone, _, dataset = path.stem.split('_')
    return method, backbone, dataset


def write_data(root, dataset):
    """One image per class and domain, in the layout of the data set."""
    folder, kind, domains = DOMAINS[dataset]
    rng = np.random.default_rng(0)
    lists = root / 'data' / folder / 'image_list'
    lists.mkdir(parents=True)
    for domain in domains:
        lines = []
        for label, name in enumerate(kind.METAINFO['classes']):
            path = lists.parent / domain / name / '0.jpg'
            path.parent.mkdir(parents=True)
            pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
            lines.append(f'{domain}/{name}/0.jpg {label}\n')
        (lists / f'{domain}.txt').write_text(''.join(lines))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('benchmarks')
    for dataset in DOMAINS:
        write_data(root, dataset)
    return root


def narrow(cfg, backbone):
    """The config with a small network."""
    cfg.model.classifier.backbone.update(NARROW[backbone])
    cfg.model.classifier.neck.in_channels = WIDTH[backbone]
    joint = cfg.model.objectives.get('joint')
    if joint:
        joint.terms.cdan.hidden_dim = 8
    return cfg


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_config_trains_and_evaluates(path, data, tmp_path, monkeypatch):
    method, backbone, dataset = parts(path)
    monkeypatch.chdir(data)
    cfg = shorten(Config.fromfile(path), tmp_path, batch_size=2)
    logged = train_config(narrow(cfg, backbone))
    losses = {name for name in logged if name.endswith('.loss')}
    assert losses == METHODS[method]
    classes = DOMAINS[dataset][1].METAINFO['classes']
    assert {f'class_accuracy/{name}' for name in ('mean', 'top1', *classes)} \
        <= logged.keys()
    assert ('ascent_norm' in logged) == (method in ('sdat', 'mic-sdat'))


def test_every_method_exists_for_every_benchmark_and_backbone():
    found = {}
    for path in CONFIGS:
        method, backbone, dataset = parts(path)
        found.setdefault((dataset, backbone), set()).add(method)
    assert found == {
        key: set(METHODS)
        for key in (('visda2017', 'r101'), ('visda2017', 'vit-b16'),
                    ('officehome', 'r50'), ('officehome', 'vit-b16'))
    }


# Backbone, data -> learning rate, iterations, batch, temperature, weight of
# pseudo-labels, width of the bottleneck, first random crop (the commands of
# the original; ResNet-50 on Office-Home: those of SDAT).
PUBLISHED = {
    'vit-b16_visda2017': (0.002, 15000, 32, 2.0, 'prob', 256, 'CenterCrop'),
    'r101_visda2017': (0.002, 30000, 32, 3.0, None, 256, 'CenterCrop'),
    'vit-b16_officehome': (0.002, 30000, 24, 2.0, 'prob', 256,
                           'RandomResizedCrop'),
    'r50_officehome': (0.01, 30000, 32, 2.5, None, 2048, 'RandomResizedCrop'),
}


@pytest.mark.parametrize('name', PUBLISHED)
def test_mic_has_the_published_settings(name):
    backbone, dataset = name.split('_')
    path, = (p for p in CONFIGS if parts(p) == ('mic-sdat', backbone, dataset))
    cfg = Config.fromfile(path)
    source = cfg.train_dataloader.dataset.source
    crop = next(t.type for t in source.pipeline if 'Crop' in t.type)
    assert PUBLISHED[name] == (
        cfg.optim_wrapper.optimizer.lr, cfg.train_cfg.max_iters,
        cfg.train_dataloader.batch_size,
        cfg.model.objectives.joint.terms.mcc.temperature,
        cfg.model.labeller.weight, cfg.model.classifier.neck.out_channels,
        crop)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.momentum, optimizer.nesterov, optimizer.weight_decay) \
        == (0.9, True, 1e-3)
    assert cfg.optim_wrapper.rho == 0.02
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult == 0.1
    assert cfg.model.teacher.alpha == 0.9
    mask = cfg.model.objectives.mic.mask
    assert (mask.ratio, mask.block_size) == (0.7, 64)
    joint = cfg.model.objectives.joint.terms.cdan
    assert joint.feature_dim == cfg.model.classifier.head.in_channels
    assert joint.num_classes == cfg.model.classifier.head.num_classes \
        == cfg.data_preprocessor.num_classes
    # No checkpoint is chosen by the target's labels.
    assert 'save_best' not in cfg.default_hooks.checkpoint


def test_both_variables_choose_the_pair_everywhere(monkeypatch):
    path = next(p for p in CONFIGS if p.stem.startswith('oracle_vit-b16_1xb24'))
    monkeypatch.setenv('SOURCE_DOMAIN', 'Product')
    monkeypatch.setenv('TARGET_DOMAIN', 'Real_World')
    mic = Config.fromfile(path.with_name(path.name.replace(
        'oracle', 'mic-sdat')))
    oracle = Config.fromfile(path)
    for cfg, source in ((mic, 'Product'), (oracle, 'Real_World')):
        pair = cfg.train_dataloader.dataset
        assert pair.source.ann_file == f'image_list/{source}.txt'
        for dataset in (pair.target, cfg.val_dataloader.dataset,
                        cfg.test_dataloader.dataset):
            assert dataset.ann_file == 'image_list/Real_World.txt'
        assert cfg.work_dir.endswith('/Product-Real_World')
    monkeypatch.delenv('SOURCE_DOMAIN')
    monkeypatch.delenv('TARGET_DOMAIN')
    assert Config.fromfile(path).work_dir.endswith('/Art-Clipart')


@pytest.mark.parametrize('dataset', ['officehome', 'office31'])
def test_target_labels_are_left_unread(data, monkeypatch, dataset):
    monkeypatch.chdir(data)
    cfg = Config.fromfile(ROOT / f'configs/_base_/datasets/{dataset}.py')
    target = cfg.train_dataloader.dataset.target
    built = DATASETS.build(dict(target, _scope_='mmpretrain'))
    assert 'gt_label' not in built.get_data_info(0)
    labelled = DATASETS.build(
        dict(cfg.target_train_labelled, _scope_='mmpretrain'))
    assert 'gt_label' in labelled.get_data_info(0)


def test_the_test_image_is_pillows(data, monkeypatch):
    monkeypatch.chdir(data)
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/visda2017.py')
    dataset = DATASETS.build(
        dict(cfg.test_dataloader.dataset, _scope_='mmpretrain'))
    item = dataset[3]
    with Image.open(item['data_samples'].img_path) as image:
        squashed = image.convert('RGB').resize((256, 256), Image.BICUBIC)
    expected = np.asarray(squashed.crop((16, 16, 240, 240)))
    # `inputs` are in the order blue, green, red until preprocessed.
    assert np.array_equal(
        item['inputs'].numpy()[::-1].transpose(1, 2, 0), expected)


@pytest.mark.parametrize('name', ['visda/mic-sdat_r101_1xb32-30k_visda2017',
                                  'officehome/oracle_vit-b16_1xb24-30k_'
                                  'officehome'])
def test_a_config_of_ones_own_inherits_from_the_package(
        inherit, name, data, tmp_path, monkeypatch):
    monkeypatch.chdir(data)
    cfg = inherit(f'cls/{name}.py', 'optim_wrapper = dict(optimizer=dict('
                  'weight_decay=1e-4))\n')
    assert cfg.optim_wrapper.optimizer.weight_decay == 1e-4
    assert cfg.optim_wrapper.optimizer.momentum == 0.9
    method, backbone, _ = parts(Path(name))
    logged = train_config(narrow(shorten(cfg, tmp_path / 'run'), backbone))
    assert METHODS[method] | {'class_accuracy/mean'} <= logged.keys()

# Copyright (c) mic_mm authors. All rights reserved.
"""Every config is measured without data sets and pretrained weights."""
from pathlib import Path

import pytest
from mmengine.config import Config

from mic_mm.benchmark import build_workload, record, without_pretrained

CONFIGS = Path(__file__).parents[2] / 'configs'
FULL_SIZE = sorted(
    str(path.relative_to(CONFIGS)) for task in ('seg', 'cls', 'det')
    for path in CONFIGS.glob(f'{task}/*/*.py') if path.parent.name != 'digits')
DIGITS = {
    'seg/digits/mic_tiny-hrda_1xb8-600_optdigits_mnist5k.py': [
        ('source', 'student'), ('self_training', 'teacher'), ('self_training', 'student'),
        ('mic', 'student')
    ],
    'cls/digits/mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py': [
        ('source', 'student'), ('self_training', 'teacher'), ('self_training', 'student'),
        ('mic', 'student')
    ],
    'det/digits/mic_tiny-fcos_1xb16-600_optdigits_mnist5k.py': [
        ('source', 'student'), ('self_training', 'teacher'), ('self_training', 'student'),
        ('mic', 'student')
    ],
}


def config(name, **options):
    cfg = Config.fromfile(CONFIGS / name)
    cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize('name', DIGITS)
def test_all_objectives_of_a_config_are_measured(name):
    workload = build_workload(config(name), batch_size=2)
    assert [(p.objective, p.kind) for p in record(workload)] == DIGITS[name]


@pytest.mark.slow
@pytest.mark.parametrize('name', FULL_SIZE)
def test_configs_of_the_benchmarks_are_measured_in_small(name):
    workload = build_workload(config(name), size=(128, 128), batch_size=1)
    assert record(workload)


def test_config_of_a_library_is_measured_as_source_supervision():
    workload = build_workload(
        config('seg/digits/oracle_tiny-daformer_1xb8-1k_mnist5k.py'), batch_size=2)
    assert [(p.objective, p.kind) for p in record(workload)] == [('source', 'student')]


def test_model_is_adapted_to_the_size():
    cfg = config('benchmark/mic-hrda_mit-b0_512x512.py')
    before = cfg.to_dict()
    workload = build_workload(cfg, size=(128, 192), batch_size=1)
    student = workload.model.student
    assert student.detail_crop.size == (64, 96)
    assert workload.data['source']['inputs'][0].shape == (3, 128, 192)
    assert cfg.to_dict() == before


def test_size_and_batch_are_those_of_the_config():
    workload = build_workload(config('benchmark/mic-sdat_r18_224x224.py'))
    assert (workload.size, workload.batch_size) == ((224, 224), 16)


def test_nothing_is_loaded_from_a_checkpoint():
    pretrained = dict(type='Pretrained', checkpoint='https://nowhere')
    cfg = dict(a=dict(init_cfg=pretrained), b=[pretrained, 1], c=(None, 2))
    assert without_pretrained(cfg) == dict(a=dict(init_cfg=None), b=[1], c=(None, 2))


def test_other_models_are_refused():
    cfg = Config(dict(model=dict(type='ToyModel'), default_scope='mmengine'))
    with pytest.raises(ValueError, match='ToyModel.*configs/seg'):
        build_workload(cfg)

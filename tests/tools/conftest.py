# Copyright (c) mic_mm authors. All rights reserved.
"""A config with real image folders that trains in a second."""
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mic_mm.testing.models import tiny_classifier

ROOT = Path(__file__).resolve().parents[2]


def make_config(data: Path) -> dict:
    """A run of two iterations on image folders below ``data``."""

    def folder(name, **kwargs):
        return dict(
            type='CustomDataset',
            data_root=str(data),
            data_prefix=name,
            metainfo=dict(classes=('dark', 'bright')),
            pipeline=[dict(type='LoadImageFromFile'),
                      dict(type='PackInputs')],
            **kwargs)

    mask = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=4)
    return dict(
        default_scope='mmpretrain',
        model=dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(num_classes=2, norm='GN'),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                mic=dict(type='mic_mm.MaskedConsistency', mask=mask))),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(
                type='mic_mm.DomainPairDataset',
                source=folder('source'),
                target=folder('target', with_label=False)),
            collate_fn=dict(type='pseudo_collate')),
        test_dataloader=dict(
            batch_size=4,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=folder('test'),
            collate_fn=dict(type='default_collate')),
        test_evaluator=dict(type='Accuracy', topk=(1, )),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=2),
        test_cfg=dict(),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(
            checkpoint=dict(
                type='mic_mm.AtomicCheckpointHook', by_epoch=False, interval=1),
            ema_teacher=dict(type='mic_mm.EMATeacherHook'),
            random_streams=dict(type='mic_mm.RandomStreamsHook'),
            visualization=dict(type='VisualizationHook')),
        model_wrapper_cfg=dict(type='mic_mm.UDADistributedDataParallel'),
        visualizer=dict(
            type='UniversalVisualizer',
            vis_backends=[dict(type='LocalVisBackend')]),
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=0))


@pytest.fixture
def config(tmp_path):
    """Path of a config file; its data lie beside it."""
    rng = np.random.default_rng(0)
    data = tmp_path / 'data'
    for split, names in dict(
            source=('dark', 'bright'), target=('', ),
            test=('dark', 'bright')).items():
        for name in names:
            folder = data / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(4):
                pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f'{index}.png')
    # A name of its own: MMEngine keeps runners apart by it.
    path = tmp_path / f'config_{tmp_path.name}.py'
    Config(make_config(data)).dump(path)
    return path


@pytest.fixture
def run_tool(monkeypatch, tmp_path):
    """Runs a tool in this process, in a folder of its own."""

    def run(tool, *arguments):
        path = ROOT / 'tools' / tool
        spec = importlib.util.spec_from_file_location(f'tool_{path.stem}',
                                                      path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.chdir(tmp_path)
        # MMEngine reads it, and the tool sets it if it is not set.
        monkeypatch.setenv('LOCAL_RANK', '0')
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        module.main()

    return run


@pytest.fixture
def convert(run_tool, capsys):
    """Runs a converter; returns exit code, output and errors."""

    def run(dataset, *arguments):
        with pytest.raises(SystemExit) as stop:
            run_tool(f'dataset_converters/{dataset}.py', '--nproc', 1,
                     *arguments)
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run

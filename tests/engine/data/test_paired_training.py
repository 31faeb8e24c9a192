# Copyright (c) mic_mm authors. All rights reserved.
"""The paired stream inside of MMEngine's runner."""
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import Dataset

from mic_mm.engine.data import DomainPairDataset, DomainPairSampler


class _Items(Dataset):

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        sample = BaseDataElement(metainfo=dict(item=i))
        return dict(inputs=torch.rand(2), data_samples=sample)


class _Recorder(BaseModel):
    """Remembers the items and inputs of every batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))
        self.seen = []

    def forward(self, source, target, mode):
        for part in (source, target):
            for inputs, sample in zip(part['inputs'], part['data_samples']):
                self.seen.append((sample.item, *inputs.tolist()))
        return dict(loss=(self.weight * source['inputs'][0]).sum())


@pytest.fixture
def train(tmp_path):
    """Trains a model with a runner and returns what it has seen."""

    def run(name, train_cfg, num_workers=0, sampler=None, **kwargs):
        model = _Recorder()
        runner = Runner(
            model=model,
            work_dir=str(tmp_path / name),
            train_dataloader=dict(
                batch_size=2,
                num_workers=num_workers,
                dataset=dict(
                    type='mic_mm.DomainPairDataset',
                    source=_Items(7),
                    target=_Items(3)),
                sampler=dict(type='mic_mm.DomainPairSampler',
                             **(sampler or {})),
                collate_fn=dict(type='pseudo_collate')),
            train_cfg=train_cfg,
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_hooks=dict(checkpoint=dict(
                type='CheckpointHook', interval=4, by_epoch=False)),
            randomness=dict(seed=5),
            experiment_name=f'{name}_{id(model)}',
            log_level='WARNING',
            **kwargs)
        runner.train()
        return model.seen

    return run


def _stream(count):
    """Items and inputs of the first pairs, straight from the sampler."""
    dataset = DomainPairDataset(_Items(7), _Items(3))
    pairs = iter(DomainPairSampler(dataset, seed=5))
    items = [dataset[next(pairs)] for _ in range(count)]
    return [
        (item[domain]['data_samples'].item, *item[domain]['inputs'].tolist())
        for batch in zip(items[::2], items[1::2])
        for domain in ('source', 'target') for item in batch
    ]


@pytest.mark.parametrize('num_workers', [0, 2])
def test_training_by_iterations_sees_the_stream(train, num_workers):
    seen = train('run', dict(by_epoch=False, max_iters=9), num_workers)
    assert seen == _stream(18)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_resumed_training_goes_on_in_the_stream(train, num_workers, tmp_path):
    first = train(
        'run', dict(by_epoch=False, max_iters=4), num_workers)
    rest = train(
        'run',
        dict(by_epoch=False, max_iters=9),
        num_workers,
        resume=True,
        load_from=str(tmp_path / 'run' / 'iter_4.pth'))
    assert first + rest == _stream(18)


def test_training_by_epochs_sees_the_stream(train):
    seen = train(
        'run',
        dict(by_epoch=True, max_epochs=2),
        sampler=dict(pairs_per_epoch=6))
    assert seen == _stream(12)

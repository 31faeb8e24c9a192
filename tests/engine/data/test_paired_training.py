# Copyright (c) mic_mm authors. All rights reserved.
"""The paired stream inside of MMEngine's runner."""
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import Dataset

from mic_mm.engine.data import DomainPairDataset, DomainPairSampler
from mic_mm.engine.data.permutation_stream import PermutationStream


class _Items(Dataset):

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        self.loaded = getattr(self, 'loaded', 0) + 1
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


@LOOPS.register_module()
class LoopOfMMEngine0107(IterBasedTrainLoop):
    """Loads all that has been seen when it resumes, as MMEngine 0.10.7 does."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dataloader_iterator = iter(self.dataloader)

    def run(self):
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        for _ in range(self._iter):
            next(self.dataloader_iterator)
        while self._iter < self._max_iters:
            self.run_iter(next(self.dataloader_iterator))
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')


BY_ITERATIONS = ('IterBasedTrainLoop', 'LoopOfMMEngine0107')


@pytest.fixture
def train(tmp_path):
    """Trains a model with a runner and returns what it has seen."""

    def run(name,
            train_cfg,
            num_workers=0,
            sampler=None,
            change=None,
            interval=4,
            **kwargs):
        model = _Recorder()
        runner = Runner(
            model=model,
            work_dir=str(tmp_path / name),
            train_dataloader=dict(
                batch_size=2,
                num_workers=num_workers,
                persistent_workers=num_workers > 0,
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
                type='mic_mm.AtomicCheckpointHook', interval=interval, by_epoch=False),
                               random_streams=dict(
                                   type='mic_mm.RandomStreamsHook')),
            randomness=dict(seed=5),
            experiment_name=f'{name}_{id(model)}',
            log_level='WARNING',
            **kwargs)
        if change is not None:
            change(runner)
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


@pytest.mark.parametrize('loop', BY_ITERATIONS)
@pytest.mark.parametrize('num_workers', [0, 2])
def test_resumed_training_goes_on_in_the_stream(train, num_workers, loop, tmp_path):
    first = train(
        'run', dict(by_epoch=False, max_iters=4), num_workers)
    rest = train(
        'run',
        dict(type=loop, max_iters=9),
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


@pytest.mark.parametrize('by_epoch', [True, False])
def test_training_by_epochs_goes_on_within_the_epoch(train, by_epoch, tmp_path):
    """The checkpoint of iteration 4 lies in the second of three epochs."""
    options = dict(sampler=dict(pairs_per_epoch=6))
    checkpoint = 'iter_3' if by_epoch else 'iter_4'  # at its start, within it
    interval = 3 if by_epoch else 4
    whole = train('run', dict(by_epoch=True, max_epochs=3), interval=interval, **options)
    assert whole == _stream(18)
    rest = train(
        'run',
        dict(by_epoch=True, max_epochs=3),
        resume=True,
        load_from=str(tmp_path / 'run' / f'{checkpoint}.pth'),
        **options)
    assert rest == _stream(18)[4 * int(checkpoint[-1]):]


@pytest.mark.parametrize('loop', BY_ITERATIONS)
def test_resuming_loads_nothing_of_what_has_been_seen(
        train, loop, tmp_path, monkeypatch):
    train('run', dict(type=loop, max_iters=4))
    path = tmp_path / 'run' / 'iter_4.pth'
    checkpoint = torch.load(path, weights_only=False)
    done = 10**6
    checkpoint['meta']['iter'] = done
    torch.save(checkpoint, path)

    asked, read = [], PermutationStream.__getitem__

    def watched(stream, position):
        asked.append(position)
        return read(stream, position)

    monkeypatch.setattr(PermutationStream, '__getitem__', watched)
    runners = []
    train(
        'run',
        dict(type=loop, max_iters=done + 2),
        change=runners.append,
        interval=10**9,
        resume=True,
        load_from=str(path))
    dataset = runners[0].train_dataloader.dataset
    assert dataset.source.loaded == dataset.target.loaded == 4
    # A stream of each domain; MMEngine 0.10.7 builds an iterator twice.
    assert sorted(set(asked)) == [2 * done + i for i in range(4)]
    assert len(asked) == 8

# Copyright (c) mic_mm authors. All rights reserved.
"""A killed and resumed run equals the uninterrupted one, bit for bit."""
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.config import Config

from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.mixed_precision import amp_on_cpu
from mic_mm.testing.processes import exit_code_of, exit_codes_of_launched
from mic_mm.testing.uda_configs import uda_config

TRAIN_TOOL = str(Path(__file__).parents[2] / 'tools' / 'train.py')
ITERATIONS = 6
# Of gradients in float16, which end at 65504.
OVERFLOW = 2.**30
# Records what each iteration saw and drew, and kills the process on demand.
HOOKS = '''
import json
import os
import random
import signal

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class RecordHook(Hook):
    priority = 'LOWEST'

    def __init__(self, file, kill_at=None, kill_ranks=(0, 1)):
        self.file = f'{file}.{get_rank()}'
        self.kill_at = kill_at
        self.kill_ranks = kill_ranks

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        record = dict(
            iter=runner.iter,
            images=[s.img_path.rsplit('/', 2)[-3:] for domain in ('source', 'target')
                    for s in data_batch[domain]['data_samples']],
            inputs=[float(i.double().sum()) for domain in ('source', 'target')
                    for i in data_batch[domain]['inputs']],
            logged=sorted(outputs),
            loss=float(outputs['loss']),
            lr=runner.optim_wrapper.get_lr(),
            random=[random.random(), np.random.rand(), float(torch.rand(()))])
        with open(self.file, 'a') as file:
            file.write(json.dumps(record) + chr(10))
        if runner.iter + 1 == self.kill_at and get_rank() in self.kill_ranks:
            os.kill(os.getpid(), signal.SIGKILL)
'''


def make_config(case, folder):
    task, *variants = case.split('-')
    cfg = uda_config(task, folder, ITERATIONS, source_images=7)
    if task == 'seg':  # draws from the global generator
        cfg['model']['segmentor']['decode_head']['dropout_ratio'] = 0.5
    objectives = cfg['model']['objectives']
    objectives['self_training'].update(
        pseudo_threshold=0.4, teacher=dict(type='mic_mm.EMATeacher', alpha=0.5))
    objectives['mic']['begin'] = 2
    cfg['model']['teacher']['alpha'] = 0.9
    cfg['default_hooks']['checkpoint']['interval'] = 2
    del cfg['default_hooks']['uda_visualization']
    cfg.update(
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='AdamW', lr=0.001)),
        param_scheduler=[
            dict(type='LinearLR', by_epoch=False, start_factor=0.1, end=3),
            dict(type='PolyLR', by_epoch=False, begin=3, end=ITERATIONS)
        ],
        model_wrapper_cfg=dict(type='mic_mm.UDADistributedDataParallel'),
        custom_imports=dict(imports=['record_hook']))
    for variant in variants:
        VARIANTS[variant](cfg)
    return cfg


def with_workers(cfg):
    cfg['train_dataloader'].update(num_workers=2, persistent_workers=True)


def with_accumulation(cfg):
    cfg['optim_wrapper']['accumulative_counts'] = 4


def with_sam(cfg):
    cfg['optim_wrapper'].update(
        type='mic_mm.SAMOptimWrapper',
        optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True))
    cfg['param_scheduler'] = dict(type='mic_mm.InverseDecayLR', gamma=0.1)


def with_dynamic_loss_scale(cfg):
    """The scale is halved by an overflow, then doubled every second step."""
    cfg['optim_wrapper'].update(
        type='AmpOptimWrapper',
        dtype='float16',
        loss_scale=dict(init_scale=OVERFLOW, backoff_factor=2.**-20, growth_interval=2))


def with_rare_classes(cfg):
    dataset = cfg['train_dataloader']['dataset']['source']
    labels = {f'{i}.png': {i % 2: 32 * 32} for i in range(7)}
    root = Path(dataset['data_root'])
    ClassStatistics(labels).write(root)
    cfg['train_dataloader']['dataset']['source'] = dict(
        type='mic_mm.RareClassSampling', statistics=str(root), min_pixels=9, dataset=dataset)


def with_epochs(cfg):
    """Two epochs of three iterations; checkpoints within them."""
    cfg['train_cfg'] = dict(type='EpochBasedTrainLoop', max_epochs=2)
    cfg['train_dataloader']['sampler']['pairs_per_epoch'] = 5


def with_optimizer_of_an_objective(cfg):
    # The discriminator has five layers of stride 2.
    cfg['model']['segmentor']['data_preprocessor']['size'] = (64, 64)
    for domain in ('source', 'target'):
        pipeline = cfg['train_dataloader']['dataset'][domain]['pipeline']
        crop, = (step for step in pipeline if step['type'] == 'RandomCrop')
        crop.update(type='Resize', scale=(64, 64))
        del crop['crop_size']
    cfg['model']['objectives'].update(
        source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True),
        adversarial=dict(
            type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=2)))
    cfg['optim_wrapper']['objectives'] = dict(
        adversarial=dict(optimizer=dict(type='Adam', lr=0.01)))
    cfg['param_scheduler'] = dict(
        student=dict(type='PolyLR', by_epoch=False, end=ITERATIONS),
        adversarial=dict(type='LinearLR', by_epoch=False, end=4))


VARIANTS = dict(
    workers=with_workers,
    accumulation=with_accumulation,
    amp=with_dynamic_loss_scale,
    rare=with_rare_classes,
    sam=with_sam,
    epochs=with_epochs,
    adversarial=with_optimizer_of_an_objective)


def train(folder, config, *arguments):
    """Run tools/train.py in this process, which is one of its own."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.argv = [TRAIN_TOOL, str(config), *map(str, arguments)]
    Config.pretty_text = ''  # formatting takes longer than training
    # For configs that ask for it; the tool refuses it on the CPU, as MMEngine does.
    with amp_on_cpu(), mock.patch('mic_mm.utils.cli.check_mixed_precision'):
        runpy.run_path(TRAIN_TOOL, run_name='__main__')


class Runs:
    """Runs of one case in a folder of its own."""

    def __init__(self, case, folder, processes):
        self.case, self.folder, self.processes = case, folder, processes
        (folder / 'record_hook.py').write_text(HOOKS)
        self.cfg = make_config(case, folder)

    def run(self, name, *arguments, **kill):
        """Train in the work directory ``name``; gives the exit codes."""
        record = dict(type='mmengine.RecordHook', file=str(self.folder / name), **kill)
        config = self.folder / f'{name}_{len(arguments)}.py'
        Config(dict(self.cfg, custom_hooks=[record])).dump(config)
        arguments = (self.folder, config, '--work-dir', self.folder / name, *arguments)
        if self.processes == 1:
            return [exit_code_of(train, *arguments)]
        return exit_codes_of_launched(train, self.processes, *arguments, '--launcher', 'pytorch')

    def result(self, name):
        checkpoint = torch.load(self.folder / name / f'iter_{ITERATIONS}.pth', weights_only=True)
        records = {}
        for rank in range(self.processes):
            for line in Path(f'{self.folder / name}.{rank}').read_text().splitlines():
                record = json.loads(line)
                # Iterations after the checkpoint are done twice, with the same result.
                assert records.setdefault((rank, record['iter']), record) == record
        return checkpoint, records


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The uninterrupted run of a case."""
    made = {}

    def run(case, processes=1):
        if (case, processes) not in made:
            runs = Runs(case, tmp_path_factory.mktemp(case), processes)
            assert runs.run('whole') == [0] * processes
            made[case, processes] = runs
        return made[case, processes]

    return run


def leaves(part, place=''):
    """All values of nested containers by place."""
    if isinstance(part, (dict, list, tuple)):
        items = part.items() if isinstance(part, dict) else enumerate(part)
        return {k: v for key, value in items for k, v in leaves(value, f'{place}.{key}').items()}
    return {place: part}


def assert_equal_results(actual, expected):
    (ours, our_records), (theirs, their_records) = actual, expected
    assert our_records == their_records
    assert len({iteration for _, iteration in their_records}) == ITERATIONS
    logs = {
        name for name in theirs['message_hub']['log_scalars']
        if not name.endswith('time')
    }
    assert any(name.startswith('train/mic') for name in logs)
    for part in (ours, theirs):
        part['log'] = {name: part['message_hub']['log_scalars'][name] for name in logs}
    for key in ('state_dict', 'optimizer', 'param_schedulers', 'log'):
        ours_of_key, theirs_of_key = leaves(ours[key]), leaves(theirs[key])
        assert ours_of_key.keys() == theirs_of_key.keys()
        different = [
            place for place, value in theirs_of_key.items()
            if not (torch.equal(ours_of_key[place], value) if torch.is_tensor(value)
                    else ours_of_key[place] == value)
        ]
        assert different == []
    assert ours['meta']['iter'] == theirs['meta']['iter'] == ITERATIONS
    assert any(name.startswith('own_teachers.') for name in theirs['state_dict'])


CASES = [('cls', kill_at) for kill_at in range(1, ITERATIONS)] + [
    ('seg-workers', 3),
    ('det', 5),
    ('cls-sam', 4),
    ('cls-amp', 3),
    ('seg-rare', 3),
    ('cls-accumulation', 3),
    ('cls-epochs', 3),
    ('seg-adversarial', 5),
]
SLOW_CASES = [(case, kill_at) for case in ('seg-workers', 'det-workers', 'cls-epochs-workers')
              for kill_at in range(1, ITERATIONS)]


@pytest.mark.parametrize(
    'case, kill_at',
    CASES + [pytest.param(*c, marks=pytest.mark.slow) for c in SLOW_CASES if c not in CASES])
def test_killed_run_resumes_to_the_same_state(case, kill_at, whole):
    runs = whole(case)
    name = f'killed_at_{kill_at}'
    assert runs.run(name, kill_at=kill_at) == [-signal.SIGKILL]
    assert not (runs.folder / name / f'iter_{ITERATIONS}.pth').exists()
    assert runs.run(name, '--resume', 'auto') == [0]
    assert_equal_results(runs.result(name), runs.result('whole'))
    log = ''.join(path.read_text() for path in (runs.folder / name).glob('*/*.log'))
    assert ('none is lost' in log) == ('accumulation' in case)


def test_scale_of_the_loss_has_changed_on_both_sides_of_the_kill(whole):
    """The case says nothing if the scale is the same throughout."""
    runs = whole('cls-amp')
    scaler = runs.result('whole')[0]['optimizer']['loss_scaler']
    begun = torch.load(runs.folder / 'whole/iter_2.pth', weights_only=True)
    begun = begun['optimizer']['loss_scaler']
    assert OVERFLOW > scaler['scale'] > begun['scale'] and begun['_growth_tracker'] == 1


def test_run_without_a_seed_resumes_with_that_of_its_start(whole, tmp_path):
    runs = Runs('cls', tmp_path, processes=1)
    runs.cfg['randomness'] = dict(seed=None)
    assert runs.run('killed', kill_at=4) == [-signal.SIGKILL]
    assert runs.run('killed', '--resume') == [0]
    checkpoint = runs.result('killed')[0]
    runs.cfg['randomness'] = dict(seed=checkpoint['meta']['seed'])
    assert runs.run('whole') == [0]
    assert_equal_results(runs.result('killed'), runs.result('whole'))


TWO_PROCESSES = [('cls-accumulation', 3, (1, )), ('cls-accumulation', 4, (0, 1))]
SLOW_TWO_PROCESSES = [(f'{task}-workers', kill_at, ranks) for task in ('seg', 'det')
                      for kill_at, ranks in ((3, (0, )), (5, (0, 1)))]


@pytest.mark.parametrize(
    'case, kill_at, ranks',
    TWO_PROCESSES + [pytest.param(*c, marks=pytest.mark.slow) for c in SLOW_TWO_PROCESSES])
def test_one_or_all_of_two_processes_are_killed(case, kill_at, ranks, whole):
    runs = whole(case, processes=2)
    name = f'killed_at_{kill_at}'
    codes = runs.run(name, kill_at=kill_at, kill_ranks=ranks)
    assert 0 not in codes and codes[ranks[0]] == -signal.SIGKILL
    assert runs.run(name, '--resume', 'auto') == [0, 0]
    assert_equal_results(runs.result(name), runs.result('whole'))

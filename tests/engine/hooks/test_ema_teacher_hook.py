# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.runner import Runner

from mic_mm.testing.datasets import write_domain
from mic_mm.testing.models import tiny_classifier

MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))


def config(tmp_path, **kwargs):
    cfg = dict(
        default_scope='mmpretrain',
        work_dir=str(tmp_path / 'work'),
        model=dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(num_classes=2),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'), mic=MIC)),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(
                type='mic_mm.DomainPairDataset',
                source=write_domain('cls', tmp_path / 'source'),
                target=write_domain('cls', tmp_path / 'target')),
            collate_fn=dict(type='pseudo_collate')),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=4),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(ema_teacher=dict(type='mic_mm.EMATeacherHook')),
        randomness=dict(seed=11),
        experiment_name=f'ema_{tmp_path.name}')
    cfg.update(kwargs)
    return cfg


def train(cfg):
    """Train and record the student's first weight before each iteration."""
    from mmengine.hooks import Hook
    recorded = []

    class Record(Hook):
        priority = 'VERY_HIGH'  # before the teacher is updated

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            recorded.append(
                next(runner.model.student.parameters()).detach().clone())

    runner = Runner.from_cfg(cfg)
    runner.register_hook(Record())
    runner.train()
    return runner.model, recorded


def test_teacher_is_the_average_of_the_students_before_each_iteration(
        tmp_path):
    model, students = train(config(tmp_path))
    teacher = students[0]
    for t, student in enumerate(students[1:], start=1):
        old = min(1 - 1 / (t + 1), 0.9)
        teacher = old * teacher + (1 - old) * student
    torch.testing.assert_close(
        next(model.teacher.model.parameters()), teacher)
    assert model.teacher.steps == 4
    assert not torch.equal(students[0], students[-1])


def test_second_hook_would_average_twice_and_is_refused(tmp_path):
    cfg = config(tmp_path, custom_hooks=[dict(type='mic_mm.EMATeacherHook')])
    with pytest.raises(ValueError, match='has 2 hooks of type mic_mm.EMATeacherHook'):
        train(cfg)


def test_objective_that_never_begins_is_told(tmp_path):
    cfg = config(tmp_path)
    cfg['model']['objectives'].update(
        mic=dict(MIC, begin=4), self_training=dict(type='mic_mm.SelfTraining', begin=3))
    train(cfg)
    log, = tmp_path.glob('work/*/*.log')
    text = log.read_text()
    assert 'objectives.mic.begin=4, but training ends after 4 iterations' in text
    assert 'self_training.begin' not in text.split('training ends after')[1]


def test_teacher_is_updated_once_per_optimizer_step(tmp_path):
    cfg = config(tmp_path)
    cfg['optim_wrapper']['accumulative_counts'] = 2
    model, _ = train(cfg)
    assert model.teacher.steps == 2


def test_model_learns_the_seed_and_iteration_of_the_run(tmp_path):
    model, _ = train(config(tmp_path))
    assert model.seed == 11
    assert model.iteration == 4


def test_run_without_teacher_needs_no_update(tmp_path):
    cfg = config(tmp_path)
    cfg['model'].update(
        teacher=None,
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
    model, _ = train(cfg)
    assert model.teacher is None


def test_endless_pairs_in_an_epoch_loop_are_refused_with_the_remedy(tmp_path):
    cfg = config(
        tmp_path, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=1))
    with pytest.raises(ValueError, match='IterBasedTrainLoop'):
        train(cfg)


def test_epochs_defined_by_the_target_train(tmp_path):
    cfg = config(
        tmp_path, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
    cfg['train_dataloader']['sampler']['pairs_per_epoch'] = 'target'
    model, students = train(cfg)
    assert len(students) == 2 * 2  # four target images in batches of two


def test_missing_hook_is_an_error_with_the_remedy(tmp_path):
    cfg = config(tmp_path, default_hooks={})
    with pytest.raises(RuntimeError, match='EMATeacherHook'):
        train(cfg)


def test_plain_model_is_refused_by_name(tmp_path):
    cfg = config(tmp_path)
    cfg['model'] = dict(tiny_classifier(num_classes=2))
    cfg['optim_wrapper'].pop('constructor')
    with pytest.raises(TypeError, match='ImageClassifier.*UDAClassifier'):
        train(cfg)


def test_checkpoint_that_does_not_fit_stops_the_run_before_training(tmp_path):
    path = tmp_path / 'foreign.pth'
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    cfg = config(tmp_path, load_from=str(path))
    with pytest.raises(ValueError, match='foreign.pth'):
        train(cfg)
    assert not list((tmp_path / 'work').rglob('*.pth'))


def test_mask_larger_than_the_images_stops_the_run_before_training(tmp_path):
    cfg = config(tmp_path)
    cfg['model']['objectives']['mic'] = dict(
        MIC, begin=3, mask=dict(MIC['mask'], block_size=64))
    with pytest.raises(ValueError, match='objectives.mic.mask.*64'):
        train(cfg)
    assert not list((tmp_path / 'work').rglob('*.pth'))


@pytest.mark.parametrize('names', ['student.backbone', ['student.backbone']])
def test_checkpointing_of_the_runner_is_refused_before_training(
        tmp_path, names):
    cfg = config(tmp_path, activation_checkpointing=names)
    with pytest.raises(ValueError, match=r"execution=dict\(activation_check"
                       r"pointing=\['backbone'\]\)"):
        train(cfg)

# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mic_mm.testing import models
from mic_mm.testing.datasets import CLASSES, write_domain

TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor', models.tiny_segmentor,
            dict(type='IoUMetric')),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier',
            models.tiny_classifier, dict(type='Accuracy', topk=(1, ))),
}
# odd: scores of opposite predictions differ
NUM_IMAGES = 5
DROPPED = ('RandomCrop', 'RandomFlip')


class Seen(Hook):
    """Keeps what the other hooks see."""

    def __init__(self):
        self.outputs, self.metrics = [], None

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.outputs += outputs

    def after_val_epoch(self, runner, metrics=None):
        self.metrics = metrics


def make_runner(folder, task='seg', teacher=True, loop=True, evaluator=None,
                predict_on='student'):
    """A runner whose student and teacher never agree on the two classes."""
    scope, wrapper, key, make, metric = TASKS[task]
    pytest.importorskip(scope)
    data = write_domain(task, folder / 'data', NUM_IMAGES)
    data['pipeline'] = [
        t for t in data['pipeline'] if t['type'] not in DROPPED
    ]
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=data,
        collate_fn=dict(type='pseudo_collate'))
    model = {
        'type': f'mic_mm.{wrapper}',
        key: make(num_classes=len(CLASSES)),
        'objectives': dict(source=dict(type='mic_mm.SourceSupervision')),
        'predict_on': predict_on
    }
    if teacher:
        model['teacher'] = dict(type='mic_mm.EMATeacher', alpha=0.5)
    loops = {
        stage: dict(type=f'mic_mm.StudentTeacher{stage.title()}Loop')
        if loop else dict()
        for stage in ('val', 'test')
    }
    runner = Runner.from_cfg(
        Config(
            dict(
                default_scope=scope,
                model=model,
                val_dataloader=loader,
                val_evaluator=evaluator or metric,
                val_cfg=loops['val'],
                test_dataloader=loader,
                test_evaluator=evaluator or metric,
                test_cfg=loops['test'],
                default_hooks=dict(checkpoint=None),
                randomness=dict(seed=0),
                work_dir=str(folder / f'work_{predict_on}_{loop}'),
                experiment_name=f'{folder.name}_{predict_on}_{loop}')))
    if teacher:
        runner.model.teacher.update(runner.model.student)
        with torch.no_grad():
            for name, parameter in runner.model.student.named_parameters():
                if 'conv_seg' in name or 'head.fc' in name:
                    parameter.neg_()
    return runner


def scores(folder, task, predict_on):
    runner = make_runner(folder, task, loop=False, predict_on=predict_on)
    return runner.val()


@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('stage', ['val', 'test'])
def test_both_branches_score_as_they_do_alone(task, stage, tmp_path):
    both = getattr(make_runner(tmp_path, task), stage)()
    alone = {
        f'{branch}/{name}': value
        for branch in ('student', 'teacher')
        for name, value in scores(tmp_path, task, branch).items()
    }
    assert both == alone
    for name in alone:
        other = name.replace('student', 'teacher')
        assert name == other or both[name] != both[other]


def test_hooks_see_the_metrics_and_the_branch_of_predict_on(tmp_path):
    predictions = {}
    for branch in ('student', 'teacher'):
        runner = make_runner(tmp_path, predict_on=branch)
        seen = Seen()
        runner.register_hook(seen)
        metrics = runner.val()
        assert seen.metrics == metrics
        assert len(seen.outputs) == NUM_IMAGES
        predictions[branch] = torch.stack(
            [o.pred_sem_seg.data for o in seen.outputs])
        assert runner.model.predict_on == branch
    assert not torch.equal(*predictions.values())


def test_metrics_reach_the_log_by_branch(tmp_path):
    runner = make_runner(tmp_path)
    runner.val()
    scalars = runner.message_hub.log_scalars
    assert {'val/student/mIoU', 'val/teacher/mIoU'} <= set(scalars)


def test_a_model_without_teacher_is_refused(tmp_path):
    with pytest.raises(ValueError, match='val_cfg.type.*no teacher'):
        make_runner(tmp_path, teacher=False).val()


def test_a_teacher_without_weights_is_refused(tmp_path):
    runner = make_runner(tmp_path)
    runner.model.teacher._step_count = 0
    with pytest.raises(RuntimeError, match='teacher has no weights.*test_cfg'):
        runner.test()


def test_metrics_that_write_files_are_refused(tmp_path):
    dump = dict(type='DumpResults', out_file_path=str(tmp_path / 'out.pkl'))
    runner = make_runner(tmp_path, evaluator=[dict(type='IoUMetric'), dump])
    with pytest.raises(ValueError, match='DumpResults.*out.pkl.*predict_on'):
        runner.test()


def test_a_plain_model_is_refused(tmp_path):
    runner = make_runner(tmp_path)
    runner.model = runner.model.student
    with pytest.raises(TypeError, match='UDASegmentor'):
        runner.val()

# Copyright (c) mic_mm authors. All rights reserved.
"""Two processes with half of the batch each equal one with all of it."""
import os
import subprocess
import sys

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import distributed, nn

from mic_mm.core import LabelledImages
from mic_mm.engine.distributed import UDADistributedDataParallel, average_gradients
from mic_mm.registry import MODELS
from mic_mm.testing import batches, models

ITERATIONS = 5


def segmentor():
    return models.tiny_segmentor(norm='GN')


def classifier():
    return models.tiny_classifier(norm='GN')


def two_stage_detector():
    """A detector whose losses are means over a fixed number per image.

    Its heads take every anchor and the same number of proposals, so that
    nothing is drawn at random and each image has the same share in the
    normalisation.
    """
    cfg = models.tiny_detector(norm='GN')
    train_cfg, test_cfg = cfg['train_cfg'], cfg['test_cfg']
    for stage in ('rpn', 'rcnn'):
        train_cfg[stage]['sampler'].update(
            num=10000, add_gt_as_proposals=False)
        train_cfg[stage]['assigner'].update(pos_iou_thr=0.5, neg_iou_thr=0.5)
    for proposals in (train_cfg['rpn_proposal'], test_cfg['rpn']):
        proposals['nms'] = dict(type='nms', iou_threshold=1.)
    return cfg


MODELS_TO_TRAIN = dict(
    seg=('UDASegmentor', 'segmentor', segmentor),
    cls=('UDAClassifier', 'classifier', classifier),
    det_two_stage=('UDADetector', 'detector', two_stage_detector),
    det_sada=('UDADetector', 'detector', two_stage_detector),
    det_one_stage=('UDADetector', 'detector', models.tiny_one_stage_detector))
THRESHOLDS = dict(
    seg=0.26, cls=None, det_two_stage=0.4, det_sada=0.4, det_one_stage=0.12)
# Dropout is off: its masks belong to regions, which are dealt out by image.
SADA = dict(
    type='mic_mm.DomainAdversarialDetection',
    image_head=dict(hidden_dim=8, init_std=0.1),
    instance_head=dict(hidden_dim=8, init_std=0.1, dropout=0.),
    consistency=dict(gradient_scale=0.1))


def spread_scores(student):
    """Keep rankings from depending on rounding: scores of new heads tie."""
    for name, parameter in student.named_parameters():
        if name.endswith(('rpn_cls.weight', 'fc_cls.weight')):
            parameter.data.mul_(20)


def build(task, threshold='default'):
    torch.manual_seed(0)
    wrapper, key, make = MODELS_TO_TRAIN[task]
    host = 'ClassMixSelfTraining' if task == 'seg' else 'SelfTraining'
    if threshold == 'default':
        threshold = THRESHOLDS[task]
    source = SADA if task == 'det_sada' else dict(
        type='mic_mm.SourceSupervision')
    model = MODELS.build({
        'type': f'mic_mm.{wrapper}',
        key: make(),
        'teacher': dict(type='mic_mm.EMATeacher', alpha=0.9),
        'objectives': dict(
            source=source,
            self_training=dict(
                type=f'mic_mm.{host}', pseudo_threshold=threshold),
            # Off in the first iterations: its parameters are then unused.
            mic=dict(
                type='mic_mm.MaskedConsistency',
                begin=2,
                color_aug=dict(type='mic_mm.ColorAugmentation'),
                mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)))
    })
    model.seed = 7
    spread_scores(model.student)
    return model


def data_of_rank(task, iteration, rank, world_size):
    make = getattr(batches, f'{task[:3]}_batch')

    def part(seed):
        batch = make(seed, count=4)
        return {key: value[rank::world_size] for key, value in batch.items()}

    return dict(
        source=part(iteration),
        target=batches.without_labels(part(1000 + iteration)))


def train(task, rank=0, world_size=1, **options):
    model = build(task, **options)
    wrapped = UDADistributedDataParallel(
        model, device_ids=[rank]) if world_size > 1 else model
    optim_wrapper = OptimWrapper(
        torch.optim.SGD([p for p in model.parameters() if p.requires_grad],
                        lr=0.001,
                        momentum=0.9))
    logs = []
    for iteration in range(ITERATIONS):
        wrapped.train()
        model.teacher.update(model.student)
        logs.append(
            wrapped.train_step(
                data_of_rank(task, iteration, rank, world_size),
                optim_wrapper))
    return model.state_dict(), logs


def gradients_of_rank(rank):
    """Parameter 0 has a gradient on both ranks, 1 on rank 1, 2 nowhere."""
    parameters = [nn.Parameter(torch.zeros(2)) for _ in range(3)]
    parameters[0].grad = torch.full((2, ), 1. + rank)
    if rank == 1:
        parameters[1].grad = torch.full((2, ), 3.)
    average_gradients(parameters)
    return [p.grad for p in parameters]


def labelled_loss_gradient(task, weights, rank=0, world_size=1):
    """Gradient of four images, of which those with weight 1 have labels."""
    model = build(task)
    data = model.data_preprocessor(batches.det_batch(3, count=4), True)
    for sample, weight in zip(data['data_samples'], weights):
        sample.set_field(weight, 'loss_weight')
    images = LabelledImages(data['inputs'][rank::world_size],
                            data['data_samples'][rank::world_size])
    losses = model.weighted_loss(model.student, images)
    if losses:
        model.parse_losses(losses)[0].backward()
    parameters = list(model.student.parameters())
    average_gradients(parameters)
    return [p.grad for p in parameters if p.grad is not None]


# Images 0 and 2 go to rank 0, images 1 and 3 to rank 1.
LABELLED = dict(uneven=(1., 1., 0., 1.), one_rank=(0., 1., 0., 1.))
DETECTORS = ('det_two_stage', 'det_one_stage')


def jobs(rank):
    results = {task: train(task, rank, 2) for task in MODELS_TO_TRAIN}
    results['gradients'] = gradients_of_rank(rank)
    # No box reaches a score of 1: rank 0 has no pseudo-labels.
    results['uneven'] = train('det_sada', rank, 2, threshold=(1., 0.4)[rank])
    for case, weights in LABELLED.items():
        for task in DETECTORS:
            results[case, task] = labelled_loss_gradient(
                task, weights, rank, 2)
    return results


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Round as the two processes do.

    A two-stage detector ranks proposals: a score that rounds differently may
    change which of them are used.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def two_processes(tmp_path_factory):
    """What the jobs give on each of two processes, which run this file."""
    folder = tmp_path_factory.mktemp('two_processes')
    subprocess.run([
        sys.executable, '-m', 'torch.distributed.run', '--standalone',
        '--nproc_per_node=2', __file__,
        str(folder)
    ],
                   env=dict(os.environ, OMP_NUM_THREADS='1'),
                   check=True)
    return [torch.load(folder / f'{rank}.pth') for rank in range(2)]


def assert_close(actual, expected, name=''):
    deviation = (actual - expected).abs().max()
    assert deviation <= 1e-5 * expected.abs().max(), f'{name}: {deviation}'


@pytest.mark.parametrize('task', sorted(MODELS_TO_TRAIN))
def test_two_processes_equal_one(task, two_processes):
    expected, logs = train(task)
    (first, first_logs), (second, second_logs) = (
        results[task] for results in two_processes)
    for name, value in expected.items():
        assert torch.equal(first[name], second[name]), f'{name}: ranks differ'
        assert_close(first[name].double(), value.double(), name)
    for ours, theirs, single in zip(first_logs, second_logs, logs):
        assert float(ours['loss'] + theirs['loss']) / 2 == pytest.approx(
            float(single['loss']), rel=1e-4)
    # The comparison is worth something only if the target was trained on.
    for objective in ('self_training.', 'mic.'):
        assert any(
            float(value) > 0 for log in logs for key, value in log.items()
            if key.startswith(objective) and 'loss' in key)


def test_missing_gradients_count_as_zero_and_unused_ones_stay_none(
        two_processes):
    for results in two_processes:
        grads = results['gradients']
        assert grads[0].tolist() == [1.5, 1.5]
        assert grads[1].tolist() == [1.5, 1.5]
        assert grads[2] is None


@pytest.mark.parametrize('task', DETECTORS)
@pytest.mark.parametrize('case', sorted(LABELLED))
def test_each_labelled_image_counts_the_same_on_every_rank(
        case, task, two_processes):
    expected = labelled_loss_gradient(task, LABELLED[case])
    largest = max(float(grad.abs().max()) for grad in expected)
    assert largest > 0
    for results in two_processes:
        assert len(results[case, task]) == len(expected)
        for ours, theirs in zip(results[case, task], expected):
            assert float((ours - theirs).abs().max()) <= 1e-5 * largest


def test_ranks_without_pseudo_boxes_stay_in_step(two_processes):
    (first, first_logs), (second, second_logs) = (
        results['uneven'] for results in two_processes)
    for ours, theirs in zip(first_logs, second_logs):
        assert float(ours['self_training.labelled_share']) == 0
        assert float(theirs['self_training.labelled_share']) > 0
    assert 'mic.labelled_share' in first_logs[-1]
    for name, value in first.items():
        assert torch.equal(value, second[name]), f'{name}: ranks differ'


def test_single_process_leaves_gradients_alone():
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    average_gradients([parameter])
    assert parameter.grad.item() == 1.


def test_plain_model_is_refused_by_name():
    with pytest.raises(TypeError, match='Linear'):
        UDADistributedDataParallel(nn.Linear(1, 1))


if __name__ == '__main__':
    distributed.init_process_group('gloo')
    torch.save(
        jobs(distributed.get_rank()),
        f'{sys.argv[1]}/{distributed.get_rank()}.pth')
    distributed.destroy_process_group()

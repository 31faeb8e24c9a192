# Copyright (c) mic_mm authors. All rights reserved.
"""Two processes with half of the batch each equal one with all of it.

Each case is trained for five iterations, with a backward per objective or one
backward for all, with and without gradient accumulation; masked images take
part from the third iteration on.
"""
import itertools
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.core import LabelledImages
from mic_mm.det import BoxLabeller
from mic_mm.engine import (
    DistributedDataParallel,
    DomainPairSampler,
    RandomStreamsHook,
    SAMOptimWrapper,
    UDADistributedDataParallel,
)
from mic_mm.engine.distributed import average_gradients
from mic_mm.registry import MODELS, TASK_UTILS
from mic_mm.testing import batches, models
from mic_mm.testing.processes import run_processes

ITERATIONS = 5
# With other images a proposal may lie at a threshold, on one side or the other
# after rounding.
FIRST_BATCH = 300
WRAPPERS = dict(
    per_objective=UDADistributedDataParallel, joint=DistributedDataParallel)


def segmentor():
    return models.tiny_segmentor(norm='GN')


def classifier():
    return models.tiny_classifier(norm='GN')


def two_stage_detector():
    """A detector whose losses are means over a fixed number per image.

    Its heads take every anchor and the same number of proposals, so that
    nothing is drawn at random and each image has the same share in the
    normalisation.  Anchors are matched by their overlap alone: a box that lies
    in several anchors overlaps them equally, and which of them then are its
    best ones depends on rounding.
    """
    cfg = models.tiny_detector(norm='GN')
    train_cfg, test_cfg = cfg['train_cfg'], cfg['test_cfg']
    for stage in ('rpn', 'rcnn'):
        train_cfg[stage]['sampler'].update(
            num=10000, add_gt_as_proposals=False)
        threshold = 0.3 if stage == 'rpn' else 0.5
        train_cfg[stage]['assigner'].update(
            pos_iou_thr=threshold,
            neg_iou_thr=threshold,
            match_low_quality=False)
    for proposals in (train_cfg['rpn_proposal'], test_cfg['rpn']):
        proposals['nms'] = dict(type='nms', iou_threshold=1.)
    return cfg


MODELS_TO_TRAIN = dict(
    seg=('UDASegmentor', 'segmentor', segmentor),
    cls=('UDAClassifier', 'classifier', classifier),
    cls_sam=('UDAClassifier', 'classifier', classifier),
    det_two_stage=('UDADetector', 'detector', two_stage_detector),
    det_sada=('UDADetector', 'detector', two_stage_detector),
    det_one_stage=('UDADetector', 'detector', models.tiny_one_stage_detector))
THRESHOLDS = dict(
    seg=0.26,
    cls=None,
    cls_sam=None,
    det_two_stage=0.4,
    det_sada=0.4,
    det_one_stage=0.12)
DETECTORS = ('det_two_stage', 'det_one_stage')
# Task, backward, accumulative_counts, whether rank 0 has no pseudo-boxes.
CASES = [
    case for case in itertools.product(MODELS_TO_TRAIN, WRAPPERS, (1, 2),
                                       (False, ))
    # Two passes need a backward each.
    if case[:2] != ('cls_sam', 'joint')
] + [(task, backward, 1, True) for task in DETECTORS for backward in WRAPPERS]
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


@TASK_UTILS.register_module()
class HalfBlindLabeller(BoxLabeller):
    """Finds nothing in images that are marked."""

    def predict(self, teacher, images):
        found = super().predict(teacher, images)
        for sample in found:
            if sample.metainfo.get('is_dark', False):
                sample.pred_instances = sample.pred_instances[:0]
        return found


def build(task):
    torch.manual_seed(0)
    wrapper, key, make = MODELS_TO_TRAIN[task]
    host = 'ClassMixSelfTraining' if task == 'seg' else 'SelfTraining'
    source = SADA if task == 'det_sada' else dict(
        type='mic_mm.SourceSupervision')
    model = MODELS.build({
        'type': f'mic_mm.{wrapper}',
        key: make(),
        'teacher': dict(type='mic_mm.EMATeacher', alpha=0.9),
        'labeller': dict(type='mic_mm.HalfBlindLabeller')
        if task.startswith('det') else None,
        'objectives': dict(
            source=source,
            self_training=dict(
                type=f'mic_mm.{host}', pseudo_threshold=THRESHOLDS[task]),
            # Off in the first iterations: its parameters are then unused.
            mic=dict(
                type='mic_mm.MaskedConsistency',
                begin=2,
                color_aug=dict(type='mic_mm.ColorAugmentation'),
                mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)))
    })
    model.seed = 7
    spread_scores(model.student)
    # Kernels of detectors are for single precision.
    return model if task.startswith('det') else model.double()


def data_of_rank(task, iteration, rank, world_size, has_dark=False):
    make = getattr(batches, f'{task[:3]}_batch')

    def part(seed, has_dark=False):
        batch = make(seed, count=4)
        for index, sample in enumerate(batch['data_samples']):
            # Images 0 and 2 go to rank 0.
            sample.set_metainfo(dict(is_dark=has_dark and index % 2 == 0))
        return {key: value[rank::world_size] for key, value in batch.items()}

    return dict(
        source=part(FIRST_BATCH + iteration),
        target=batches.without_labels(
            part(1000 + FIRST_BATCH + iteration, has_dark)))


def optimizer_of(task, model, accumulative_counts):
    sgd = torch.optim.SGD([p for p in model.parameters() if p.requires_grad],
                          lr=0.001,
                          momentum=0.9)
    kind = SAMOptimWrapper if task == 'cls_sam' else OptimWrapper
    wrapper = kind(sgd, accumulative_counts=accumulative_counts)
    # The last of five iterations completes a step.
    wrapper.initialize_count_status(model, 0, ITERATIONS)
    return wrapper


def train(case, rank=0, world_size=1):
    """One process has a backward per objective, whatever two have."""
    task, backward, accumulative_counts, has_dark = case
    model = build(task)
    wrapped = model
    if world_size > 1:
        wrapped = WRAPPERS[backward](model, device_ids=[rank])
    optim_wrapper = optimizer_of(task, model, accumulative_counts)
    logs = []
    for iteration in range(ITERATIONS):
        wrapped.train()
        model.iteration = iteration
        if iteration % accumulative_counts == 0:
            model.update_teachers()
        data = data_of_rank(task, iteration, rank, world_size, has_dark)
        log = wrapped.train_step(data, optim_wrapper)
        logs.append({name: float(value) for name, value in log.items()})
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


def random_draws(rank=0, world_size=1):
    """What the objectives, the loader and the layers of a process draw."""
    model = build('cls')
    data = model.data_preprocessor(data_of_rank('cls', 0, rank, world_size), True)
    model.iteration = 11
    model.update_teachers()
    draws = model.prepare(data).draws.scoped('mic')
    RandomStreamsHook().before_train_iter(SimpleNamespace(seed=7, iter=11), 0)
    domains = SimpleNamespace(source=range(9), target=range(5))
    pairs = itertools.islice(DomainPairSampler(domains, seed=7), 8 // world_size)
    return dict(
        shared=draws.uniform('strength', 3),
        order=draws.permutation('classes', 5),
        per_sample=draws.uniform_per_sample('mask', 4 // world_size, 2),
        global_=torch.rand(3),
        pairs=[pair[:3] for pair in pairs])


def error_of_synchronized_batch_norm():
    layers = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    layers = nn.SyncBatchNorm.convert_sync_batchnorm(layers)
    with pytest.raises(ValueError) as info:
        DistributedDataParallel(layers)
    return str(info.value)


def jobs(rank, folder):
    results = {case: train(case, rank, 2) for case in CASES}
    results['gradients'] = gradients_of_rank(rank)
    results['draws'] = random_draws(rank, 2)
    results['synchronized'] = error_of_synchronized_batch_norm()
    for case, weights in LABELLED.items():
        for task in DETECTORS:
            results[case, task] = labelled_loss_gradient(
                task, weights, rank, 2)
    torch.save(results, f'{folder}/{rank}.pth')


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
    """What the jobs give on each of two processes."""
    folder = tmp_path_factory.mktemp('two_processes')
    run_processes(jobs, 2, str(folder))
    return [torch.load(folder / f'{rank}.pth') for rank in range(2)]


def assert_close(actual, expected, name=''):
    deviation = (actual - expected).abs().max()
    assert deviation <= 1e-5 * expected.abs().max(), f'{name}: {deviation}'


@pytest.fixture(scope='module')
def one_process():
    """The same on one process, by case; how two do the backward is no part."""
    results = {}

    def run(case):
        task, _, *others = case
        key = (task, *others)
        if key not in results:
            results[key] = train(case)
        return results[key]

    return run


@pytest.mark.parametrize('case', CASES, ids=lambda c: '-'.join(map(str, c)))
def test_two_processes_equal_one(case, one_process, two_processes):
    expected, logs = one_process(case)
    (first, first_logs), (second, second_logs) = (
        results[case] for results in two_processes)
    for name, value in expected.items():
        assert torch.equal(first[name], second[name]), f'{name}: ranks differ'
        assert_close(first[name].double(), value.double(), name)
    for ours, theirs, single in zip(first_logs, second_logs, logs):
        assert (ours['loss'] + theirs['loss']) / 2 == pytest.approx(
            single['loss'], rel=1e-4)
    # The comparison is worth something only if the target was trained on.
    for objective in ('self_training.', 'mic.'):
        assert any(
            value > 0 for log in logs for key, value in log.items()
            if key.startswith(objective) and 'loss' in key)
    assert not any(key.startswith('mic.') for key in logs[1])
    if case[-1]:
        for ours, theirs in zip(first_logs, second_logs):
            assert ours['self_training.labelled_share'] == 0
            assert theirs['self_training.labelled_share'] > 0


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


def test_single_process_leaves_gradients_alone():
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    average_gradients([parameter])
    assert parameter.grad.item() == 1.


def test_plain_model_is_refused_by_name():
    with pytest.raises(TypeError, match='Linear'):
        UDADistributedDataParallel(nn.Linear(1, 1))


def test_random_numbers_agree_or_differ_between_processes(two_processes):
    first, second = (results['draws'] for results in two_processes)
    whole = random_draws()
    for name in ('shared', 'order'):
        assert torch.equal(first[name], whole[name])
        assert torch.equal(second[name], whole[name])
    for rank, ours in enumerate((first, second)):
        assert torch.equal(ours['per_sample'], whole['per_sample'][rank::2])
        assert ours['pairs'] == whole['pairs'][rank::2]
    assert not torch.equal(first['per_sample'], second['per_sample'])
    assert torch.equal(first['global_'], whole['global_'])
    assert not torch.equal(first['global_'], second['global_'])


def test_synchronized_batch_norm_of_the_cpu_is_refused(two_processes):
    for results in two_processes:
        assert 'layers are SyncBatchNorm, which PyTorch has for GPUs only' in (
            results['synchronized'])

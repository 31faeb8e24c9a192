# Copyright (c) mic_mm authors. All rights reserved.
"""A gradient that overflows on one process skips the step on all of them."""
import torch
from mmengine.optim import AmpOptimWrapper

from mic_mm.core import Objective
from mic_mm.engine import SAMAmpOptimWrapper, UDADistributedDataParallel
from mic_mm.registry import MODELS
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.mixed_precision import amp_on_cpu
from mic_mm.testing.models import tiny_classifier
from mic_mm.testing.processes import run_processes

SCALE = 1024.
WRAPPERS = (AmpOptimWrapper, SAMAmpOptimWrapper)


@MODELS.register_module()
class OverflowingOnce(Objective):
    """Adds a huge loss in iteration 1 on the second process."""

    def loss(self, batch, student, teacher):
        is_here = torch.distributed.get_rank() == 1 and batch.iteration == 1
        features = student.extract_feat(batch.source.inputs)[-1].float()
        return dict(loss_huge=features.square().mean() *
                    (1e38 if is_here else 0.))


def make():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(norm='GN'),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.5),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                self_training=dict(type='mic_mm.SelfTraining'),
                overflow=dict(type='OverflowingOnce'))))
    return UDADistributedDataParallel(model)


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def assert_equal_on_both(tensor):
    gathered = [torch.empty_like(tensor) for _ in range(2)]
    torch.distributed.all_gather(gathered, tensor)
    assert gathered[0].equal(gathered[1])


def train(rank, kind):
    model = make()
    with amp_on_cpu():
        optim_wrapper = WRAPPERS[kind](
            optimizer=torch.optim.SGD(
                model.module.student.parameters(), lr=0.05, momentum=0.9),
            dtype='float16',
            loss_scale=dict(init_scale=SCALE))
        scales = []
        for iteration in range(3):
            model.module.update_teachers()
            before = weights(model.module.student).clone()
            seed = 10 * iteration + rank
            model.train_step(
                dict(
                    source=cls_batch(seed),
                    target=without_labels(cls_batch(seed + 50))),
                optim_wrapper)
            scales.append(optim_wrapper.loss_scaler.get_scale())
            stayed = weights(model.module.student).equal(before)
            assert stayed == (iteration == 1)
            assert_equal_on_both(weights(model))
    assert scales == [SCALE, SCALE / 2, SCALE / 2]
    assert (model.module.iteration, int(model.module.teacher.steps)) == (3, 3)
    assert weights(model).isfinite().all()


def both_wrappers(rank):
    for kind in range(len(WRAPPERS)):
        train(rank, kind)


def test_an_overflow_on_one_process_skips_the_step_on_both():
    run_processes(both_wrappers, 2)

# Copyright (c) mic_mm authors. All rights reserved.
"""A resumed run of MIC(SDAT) equals the uninterrupted one, bit for bit."""
import torch

from mic_mm.engine import InverseDecayLR
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.models import tiny_classifier

ITERATIONS, HALF = 6, 3


class Training:
    """A model, its optimizer wrapper and its schedule."""

    def __init__(self):
        terms = dict(
            mcc=dict(type='mic_mm.MinimumClassConfusion'),
            cdan=dict(
                type='mic_mm.ConditionalAdversarial',
                num_classes=4,
                feature_dim=8,
                hidden_dim=8,
                randomized=True,
                randomized_dim=6,
                warmup_iterations=4))
        mask = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
        self.model = MODELS.build(
            dict(
                type='mic_mm.UDAClassifier',
                classifier=tiny_classifier(),
                teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
                objectives=dict(
                    joint=dict(type='mic_mm.JointSupervision', terms=terms),
                    mic=dict(type='mic_mm.MaskedConsistency', mask=mask))))
        self.model.train()
        constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
            dict(
                type='mic_mm.UDAOptimWrapperConstructor',
                optim_wrapper_cfg=dict(
                    type='mic_mm.SAMOptimWrapper',
                    rho=0.05,
                    optimizer=dict(
                        type='SGD', lr=0.1, momentum=0.9, nesterov=True)),
                paramwise_cfg=dict(
                    custom_keys=dict(backbone=dict(lr_mult=0.1)))))
        self.optim_wrapper = constructor(self.model)
        self.schedule = InverseDecayLR(self.optim_wrapper, gamma=0.1)

    def run(self, begin, end):
        self.model.iteration = begin
        for iteration in range(begin, end):
            self.model.update_teachers()
            self.model.train_step(
                dict(
                    source=cls_batch(iteration),
                    target=without_labels(cls_batch(50 + iteration))),
                self.optim_wrapper)
            self.schedule.step()
        return self

    def parts(self):
        return self.model, self.optim_wrapper, self.schedule


def test_resumed_run_continues_every_schedule(tmp_path):
    path = tmp_path / 'half.pth'
    torch.manual_seed(0)
    whole = Training().run(0, HALF)
    torch.save([part.state_dict() for part in whole.parts()], path)
    whole.run(HALF, ITERATIONS)

    resumed = Training()  # other weights, other random matrices
    states = torch.load(path, weights_only=False)
    for part, state in zip(resumed.parts(), states):
        part.load_state_dict(state)
    resumed.run(HALF, ITERATIONS)

    expected, actual = whole.model.state_dict(), resumed.model.state_dict()
    for name, value in expected.items():
        assert torch.equal(actual[name], value), name
    term = 'objectives.joint.terms.cdan'
    assert expected[f'{term}.reversal.steps'] == ITERATIONS
    assert f'{term}.map.feature_matrix' in expected
    assert resumed.optim_wrapper.get_lr() == whole.optim_wrapper.get_lr()
    assert not torch.equal(expected['student.head.fc.weight'],
                           states[0]['student.head.fc.weight'])

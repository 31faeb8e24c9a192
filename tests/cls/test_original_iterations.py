# Copyright (c) mic_mm authors. All rights reserved.
"""Whole training iterations of MIC(SDAT), as the original recorded them."""
from collections import defaultdict

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from mic_mm.engine import InverseDecayLR, SAMOptimWrapper
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_classifier import classifier_of, our_name, recorded_state

# The schedule is advanced to where the recording starts.
pytestmark = [
    pytest.mark.golden,
    pytest.mark.filterwarnings('ignore:Detected call of `scheduler.step')
]
CASE = 'train_iterations'
RUNS = ['start/none', 'start/prob', 'late/none', 'late/prob']


@OPTIM_WRAPPERS.register_module()
class RecordingSAM(SAMOptimWrapper):
    """Keeps the gradients of both passes and the perturbed parameters."""

    def ascend(self, parameters):
        self.grad1 = {id(p): p.grad.clone() for p in parameters}
        norm = super().ascend(parameters)
        self.perturbed = {id(p): p.detach().clone() for p in parameters}
        return norm

    def step(self, **kwargs):
        self.grad2 = {
            id(p): p.grad.clone()
            for group in self.param_groups for p in group['params']
            if p.grad is not None
        }
        super().step(**kwargs)


def build_model(case, weight, state):
    config, weights = case.config, dict(weight=case.config['trade_off'])
    num_classes, feature_dim = state['head.fc.weight'].shape
    return MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=classifier_of(state),
            teacher=dict(type='mic_mm.EMATeacher', alpha=config['alpha']),
            labeller=dict(type='mic_mm.ClassLabeller', weight=weight),
            objectives=dict(
                joint=dict(
                    type='mic_mm.JointSupervision',
                    terms=dict(
                        mcc=dict(
                            type='mic_mm.MinimumClassConfusion',
                            temperature=config['temperature'],
                            **weights),
                        cdan=dict(
                            type='mic_mm.ConditionalAdversarial',
                            num_classes=num_classes,
                            feature_dim=feature_dim,
                            hidden_dim=config['discriminator_hidden_size'],
                            **weights))),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    mask=dict(
                        type='mic_mm.BlockMask',
                        ratio=config['mask_ratio'],
                        block_size=config['mask_block_size']),
                    **weights))))


def build_optim_wrapper(case, model):
    config, factors = case.config, case.config['lr_multipliers']
    parts = dict(
        backbone=factors['backbone'],
        neck=factors['bottleneck'],
        head=factors['head'],
        objectives=factors['discriminator'])
    optimizer = {
        key: config[key]
        for key in ('lr', 'momentum', 'weight_decay', 'nesterov')
    }
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mic_mm.UDAOptimWrapperConstructor',
            optim_wrapper_cfg=dict(
                type='mic_mm.RecordingSAM',
                rho=config['rho'],
                optimizer=dict(type='SGD', **optimizer)),
            paramwise_cfg=dict(custom_keys={
                part: dict(lr_mult=factor)
                for part, factor in parts.items()
            })))
    return constructor(model)


class Run:
    """A recorded run, repeated."""

    def __init__(self, case, name):
        self.case, self.name = case, name
        phase, weight = name.split('/')
        state = recorded_state(case, 'init/student/')
        self.model = build_model(case, None if weight == 'none' else weight,
                                 state)
        self.student = self.model.student
        self.student.load_state_dict(state)
        self.cdan = self.model.objectives['joint'].terms['cdan']
        self.cdan.discriminator.load_state_dict(
            recorded_state(case, 'init/discriminator/'))
        self.optim_wrapper = build_optim_wrapper(case, self.model)
        self.scheduler = InverseDecayLR(
            self.optim_wrapper,
            gamma=case.config['lr_gamma'],
            power=case.config['lr_decay'])
        if phase == 'late':
            self.advance(self.first_iteration())
        self.model.record_panels = True
        self.watch()

    def first_iteration(self):
        """The iteration whose learning rate was recorded first."""
        config = self.case.config
        initial = config['lr'] * config['lr_multipliers']['discriminator']
        decay = self.case[f'{self.name}/iter0/lr'][-1] / initial
        return round((decay**(-1 / config['lr_decay']) - 1) /
                     config['lr_gamma'])

    def advance(self, iterations):
        self.model.iteration = iterations
        for _ in range(iterations):
            self.scheduler.step()
        steps = torch.tensor(iterations)
        self.cdan.reversal.load_state_dict(dict(steps=steps))
        teacher = recorded_state(self.case, 'late_init/teacher/')
        self.model.teacher.load_state_dict(
            dict({f'model.{k}': v
                  for k, v in teacher.items()}, steps=steps))

    def watch(self):
        """Keep what passes through: losses and logits of each pass."""
        self.seen = defaultdict(list)

        def keep(name):
            return lambda module, inputs, output: self.seen[name].append(
                output)

        for name, objective in self.model.objectives.items():
            objective.register_forward_hook(keep(name))
        self.student.head.fc.register_forward_hook(keep('logits'))
        self.model.teacher.model.head.fc.register_forward_hook(
            keep('teacher_logits'))

    def iterate(self, index):
        case = self.case
        self.seen.clear()
        draws = RecordedDraws(
            {'mic.mask.noise': case[f'iter{index}/mask_draw']})
        self.model.draws_of_iteration = lambda *args: draws
        self.learning_rates = {
            id(p): group['lr']
            for group in self.optim_wrapper.param_groups
            for p in group['params']
        }
        self.model.train()
        self.model.update_teachers()
        self.logs = self.model.train_step(
            pair(case, index), self.optim_wrapper)
        draws.assert_all_used()
        self.scheduler.step()


def pair(case, index):
    labels = case[f'iter{index}/labels_s']
    target = torch.from_numpy(case[f'iter{index}/x_t'])
    return {
        'source': dict(
            inputs=list(torch.from_numpy(case[f'iter{index}/x_s'])),
            data_samples=[DataSample().set_gt_label(int(y)) for y in labels]),
        'target': dict(
            inputs=list(target), data_samples=[DataSample() for _ in target]),
    }


def check_inputs(run, index):
    case, at = run.case, f'{run.name}/iter{index}'
    masked = run.model.panels['masked']
    case.assert_within(f'iter{index}/x_t_masked', masked.inputs)
    case.assert_within(f'{at}/pseudo_label',
                       torch.cat([s.gt_label for s in masked.data_samples]))
    weights = np.array([float(s.loss_weight) for s in masked.data_samples])
    case.assert_within(
        f'{at}/pseudo_weight', weights,
        np.broadcast_to(case[f'{at}/pseudo_weight'], weights.shape))
    teacher_logits, = run.seen['teacher_logits']  # asked once
    case.assert_within(f'{at}/teacher_logits', teacher_logits)
    parameters = [
        next(part.parameters())
        for part in (run.student.backbone, run.student.neck, run.student.head,
                     run.cdan.discriminator)
    ]
    case.assert_within(
        f'{at}/lr', [run.learning_rates[id(p)] for p in parameters])


def check_losses(run, index):
    case, at = run.case, f'{run.name}/iter{index}'
    first_joint, second_joint = run.seen['joint']
    assert not any('cdan' in name for name in first_joint)
    for number, joint, mic in zip((1, 2), (first_joint, second_joint),
                                  run.seen['mic']):
        losses = dict(
            cls=joint['source.loss'],
            mcc=joint['mcc.loss'],
            masked=mic['loss'])
        for name, loss in losses.items():
            case.assert_within(f'{at}/pass{number}/loss_{name}', loss)
    logits = run.seen['logits']
    assert len(logits) == 4  # joint and masked batch, twice
    count = len(case[f'iter{index}/labels_s'])
    case.assert_within(f'{at}/pass1/logits_s', logits[0][:count])
    case.assert_within(f'{at}/pass1/logits_t_masked', logits[1])
    case.assert_within(f'{at}/pass2/loss_cdan', second_joint['cdan.loss'])
    case.assert_within(f'{at}/pass2/domain_acc',
                       second_joint['cdan.domain_accuracy'])
    case.assert_within(f'{at}/pass2/loss_total', run.logs['loss'])


def check_parameters(run, index):
    case, at = run.case, f'{run.name}/iter{index}'
    recorder = run.optim_wrapper
    case.assert_within(f'{at}/pass1/grad_norm', run.logs['ascent_norm'])
    ours = dict(run.student.named_parameters())
    for kind, values in (('pass1/grad', recorder.grad1),
                         ('perturbed', recorder.perturbed),
                         ('pass2/grad', recorder.grad2)):
        recorded = case.names(f'{at}/{kind}/*')
        assert len(recorded) == len(ours)
        for name in recorded:
            key = our_name(name.removeprefix(f'{at}/{kind}/'))
            case.assert_within(name, values[id(ours[key])])
    for module, kind in ((run.student, 'student'),
                         (run.model.teacher.model, 'teacher'),
                         (run.cdan.discriminator, 'discriminator')):
        state = {
            name: tensor
            for name, tensor in module.state_dict().items()
            if not name.startswith('data_preprocessor')
        }
        recorded = case.names(f'{at}/after/{kind}/*')
        assert len(recorded) == len(state)
        for name in recorded:
            key = our_name(name.removeprefix(f'{at}/after/{kind}/'))
            case.assert_within(name, state[key])


@pytest.mark.parametrize('name', RUNS)
def test_three_iterations_equal_the_original__cls_train_iterations(name):
    case = load_golden('cls', CASE)
    run = Run(case, name)
    count = len(case.names(f'{name}/iter*/lr'))
    assert count >= 3
    for index in range(count):
        run.iterate(index)
        check_inputs(run, index)
        check_losses(run, index)
        check_parameters(run, index)


def test_every_recorded_run_is_repeated__cls_train_iterations():
    case = load_golden('cls', CASE)
    recorded = {name.split('/iter')[0] for name in case.names('*/iter*/lr')}
    assert recorded == set(RUNS)

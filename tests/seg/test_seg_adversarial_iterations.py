# Copyright (c) mic_mm authors. All rights reserved.
"""Whole iterations of AdvSeg and MinEnt with MIC, as recorded."""
import copy
import re

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mic_mm.registry import MODELS
from mic_mm.seg.objectives import PixelDiscriminator
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import list_golden, load_golden
from mic_mm.testing.models_seg_da import golden_weights
from mic_mm.testing.original_seg_uda import (
    ParameterTables,
    gradients_of,
    recorded_batch,
    recorded_numbers,
    recorded_segmentor,
    term_gradients,
    uda_model_config,
)

pytestmark = pytest.mark.golden
CASES = [name for name in list_golden('seg') if name.startswith('case12_') and 'inputs' not in name]
CRITERIA = {'LS': 'least_squares', 'Vanilla': 'vanilla'}
LOGS = {
    'log_decode.loss_seg': 'source.decode.loss_ce',
    'log_G_trg.loss.main': 'adversarial.loss_student',
    'log_D_src.loss.main': 'adversarial.loss_discriminator_source',
    'log_D_trg.loss.main': 'adversarial.loss_discriminator_target',
    'log_ent.loss.main': 'entropy.loss_entropy',
    'log_masked.decode.loss_seg': 'mic.decode.loss_ce',
}


def inputs():
    return load_golden('seg', 'case12_inputs')


def build_discriminator(case):
    return PixelDiscriminator(case.config['decode_head']['num_classes'])


def discriminator_weights(case):
    """The weights of the recipe in the README beside the recording."""
    rng = np.random.RandomState(int(case['discriminator_seed']))
    shapes = {n: p.shape for n, p in build_discriminator(case).named_parameters()}
    weights = {}
    for name in case['discriminator_names'].tolist():
        shape = shapes[name]
        scale = np.sqrt(2 / (shape[1] * 16)) if len(shape) == 4 else 0.05
        weights[name] = torch.from_numpy(
            (rng.standard_normal(tuple(shape)) * scale).astype(np.float32))
    return weights


def hosts(config):
    """The objectives of the host, and whether the source logits are kept."""
    if config['type'] == 'MinEnt':
        return dict(
            entropy=dict(
                type='mic_mm.EntropyMinimization', weight=config['lambda_ent']['main']))
    return dict(
        source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True),
        adversarial=dict(
            type='mic_mm.OutputSpaceAlignment',
            criterion=CRITERIA[config['discriminator_type']],
            student_weight=config['lambda_adv_target']['main']))


def build(case):
    images = inputs()
    model = MODELS.build(
        uda_model_config(case.config, recorded_segmentor(images), **hosts(case.config)))
    model.student.load_state_dict(golden_weights(images, 'student/'))
    if 'adversarial' in model.objectives:
        model.objectives['adversarial'].discriminator.load_state_dict(
            discriminator_weights(images))
    model.draws_of_iteration = RecordedDraws.for_every_iteration(
        recorded_numbers(case, '', list(model.objectives), images['source_label']))
    model.record_panels = True
    model.train()
    model.update_teachers()
    return model


class RecordingOptimWrapper(OptimWrapper):

    def __init__(self, network, optimizer):
        super().__init__(optimizer)
        self.network = network

    def step(self, **kwargs):
        self.gradients = gradients_of(self.network)
        super().step(**kwargs)


def optimizers_of(model):
    sgd = torch.optim.SGD(model.student.parameters(), lr=2.5e-3)
    student = RecordingOptimWrapper(model.student, sgd)
    if 'adversarial' not in model.objectives:
        return student, student, None
    network = model.objectives['adversarial'].discriminator
    adversarial = RecordingOptimWrapper(
        network, torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.9, 0.99)))
    both = OptimWrapperDict(student=student, adversarial=adversarial)
    return both, student, adversarial


def term_norms(model, tables):
    model = copy.deepcopy(model)
    losses = model(**model.data_preprocessor(recorded_batch(inputs()), True), mode='loss')
    return torch.stack([
        tables.norms(
            term_gradients(
                model.student,
                sum(v for n, v in losses.items() if n.startswith(f'{name}.') and 'loss' in n)))
        for name in model.objectives
    ])


@pytest.mark.parametrize('name', CASES)
def test_seg_host_with_mic_equals_the_original(name):
    case = load_golden('seg', name)
    tables = ParameterTables(inputs()['param_names'])
    model = build(case)
    case.assert_within('grad_term_norms', term_norms(model, tables))
    optimizers, student, adversarial = optimizers_of(model)
    logs = model.train_step(recorded_batch(inputs()), optimizers)
    for recorded in case.names('log_*loss*'):
        case.assert_within(recorded, logs[LOGS[recorded]])
    case.assert_within('confident_share', logs['mic.confident_share'])
    masked = model.panels['masked']
    labels = torch.cat([s.gt_sem_seg.data for s in masked.data_samples])
    case.assert_within('pseudo_label', labels)
    case.assert_within('masked_image', masked.inputs)
    case.assert_within('grad_norms', tables.norms(student.gradients))
    case.assert_within('grad_heads', tables.heads(student.gradients))
    if adversarial is not None:
        own = ParameterTables(inputs()['discriminator_names'])
        case.assert_within('d_grad_norms', own.norms(adversarial.gradients))
        case.assert_within('d_grad_heads', own.heads(adversarial.gradients))


def recorded_probe(case):
    """What the discriminator saw: seed and shape are in the description of what it said."""
    meaning = case.entry['arrays']['discriminator_probe']['meaning']
    recipe = r'RandomState\((\d+)\)\.uniform\(0, ?1, ?\(([\d, ]+)\)'
    seed, shape = re.search(recipe, meaning).groups()
    shape = [int(side) for side in shape.split(',')]
    return np.random.RandomState(int(seed)).uniform(0, 1, shape).astype(np.float32)


def test_seg_discriminator_equals_the_original():
    images = inputs()
    discriminator = build_discriminator(images)
    weights = discriminator_weights(images)
    tables = ParameterTables(images['discriminator_names'])
    np.testing.assert_allclose(tables.norms(weights), images['discriminator_norms'], rtol=1e-6)
    discriminator.load_state_dict(weights)
    judgement = discriminator(torch.from_numpy(recorded_probe(images)).softmax(dim=1))
    np.testing.assert_allclose(
        judgement.detach(), images['discriminator_probe'], rtol=1e-4, atol=1e-5)

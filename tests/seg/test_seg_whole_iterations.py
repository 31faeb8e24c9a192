# Copyright (c) mic_mm authors. All rights reserved.
"""Whole training iterations of DACS, DAFormer and HRDA with MIC, as recorded."""
import copy
import json

import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.registry import MODELS
from mic_mm.seg.checkpoints import convert_weights
from mic_mm.seg.objectives.feature_distance import IGNORE, majority_labels
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import golden_root, list_golden, load_golden
from mic_mm.testing.models_seg_da import golden_weights, in_original_names, original_arrays
from mic_mm.testing.original_seg_uda import (
    ParameterTables,
    gradients_of,
    parameters_of,
    recorded_batch,
    recorded_numbers,
    recorded_segmentor,
    term_gradients,
    uda_model_config,
)

pytestmark = pytest.mark.golden
CASES = [name for name in list_golden('seg') if name.startswith('case11_') and 'inputs' not in name]
TERMS = {'source': '', 'self_training': 'mix.', 'mic': 'masked.'}
DISTANCE = 'loss_feature_distance'


class RecordingOptimWrapper(OptimWrapper):
    """Keeps the gradients of the last step."""

    def step(self, **kwargs):
        self.gradients = gradients_of(self.network)
        super().step(**kwargs)


def build(case, inputs):
    model = MODELS.build(uda_model_config(case.config['uda'], recorded_segmentor(inputs)))
    model.student.load_state_dict(golden_weights(inputs, 'student/'))
    distance = model.objectives['source'].feature_distance
    if distance is not None:
        frozen = convert_weights(original_arrays(inputs, 'imnet/'))
        frozen = {n: v for n, v in frozen.items() if n.startswith('backbone.')}
        distance.load_state_dict(dict(frozen, copied=torch.tensor(True)))
    model.record_panels = True
    return model.train()


def optimizer_of(case, model):
    options = dict(case.config['optimizer'])
    type_ = getattr(torch.optim, options.pop('type'))
    wrapper = RecordingOptimWrapper(type_(model.student.parameters(), **options))
    wrapper.network = model.student
    return wrapper


class Replay:
    """Iterations of ours with the random numbers of a recorded case."""

    def __init__(self, name, dtype):
        self.case = load_golden('seg', name)
        self.inputs = load_golden('seg', self.case.config['inputs'])
        self.model = build(self.case, self.inputs).to(dtype)
        self.optimizer = optimizer_of(self.case, self.model)
        self.tables = ParameterTables(self.inputs['param_names'])
        self.computed = {}

    def batch(self):
        return recorded_batch(self.inputs, self.case.config['valid_mask_used'])

    def run(self, iteration):
        prefix = f'it{iteration}/'
        crop = None
        if 'hr_crop_size' in self.inputs.config:
            crop = dict(
                size=self.inputs['source_rgb'].shape[-2:],
                crop=self.inputs.config['hr_crop_size'],
                divisible=self.inputs.config['crop_coord_divisible'])
        self.terms = [term for term in TERMS if term in self.model.objectives]
        numbers = recorded_numbers(self.case, prefix, self.terms, self.inputs['source_label'], crop)
        self.model.draws_of_iteration = RecordedDraws.for_every_iteration(numbers)
        self.model.update_teachers()
        self._add(prefix, self._before())
        logs = self.model.train_step(self.batch(), self.optimizer)
        self._add(prefix, self._losses(logs, prefix))
        self._add(prefix, self._after(logs))

    def _add(self, prefix, values):
        self.computed.update(
            {prefix + name: value.detach().clone() for name, value in values.items()})

    def _before(self):
        """What is known once the teachers are updated."""
        values = dict(grad_term_norms=self._norms_of_terms())
        if self.model.teacher is not None:
            teacher = self.model.teacher.model
            values.update(
                teacher_norms=self.tables.norms(parameters_of(teacher)),
                teacher_heads=self.tables.heads(parameters_of(teacher)),
                teacher_logits=self._teacher_logits())
        for own in self.model.own_teachers.values():
            values['mic_teacher_norms'] = self.tables.norms(parameters_of(own.model))
        if 'it0/fd_label' in self.case:
            values.update(self._cells())
        return values

    def _cells(self):
        labels = torch.from_numpy(self.inputs['source_label']).long()[:, 0]
        cell = labels.shape[-1] // self.case['it0/fd_label'].shape[-1]
        distance = self.model.objectives['source'].feature_distance
        small = majority_labels(labels, cell, distance.min_ratio)[:, None]
        return dict(fd_label=small, fd_mask=distance.is_counted[small])

    @torch.no_grad()
    def _teacher_logits(self):
        model = copy.deepcopy(self.model)
        images = model.data_preprocessor(self.batch(), True)['target']['inputs']
        return model.teacher.model(images, mode='tensor')

    def _norms_of_terms(self):
        model = copy.deepcopy(self.model)
        losses = model(**model.data_preprocessor(self.batch(), True), mode='loss')
        return torch.stack([
            self.tables.norms(term_gradients(model.student, sum(term)))
            for term in self._term_losses(losses)
        ])

    def _term_losses(self, losses):
        losses = {n: v for n, v in losses.items() if 'loss' in n}
        distance = losses.pop(f'source.{DISTANCE}', None)
        terms = {t: [v for n, v in losses.items() if n.startswith(f'{t}.')] for t in self.terms}
        ordered = [terms.pop('source')]
        ordered += [] if distance is None else [[distance]]
        return ordered + list(terms.values())

    def _losses(self, logs, prefix):
        values = {}
        for name, value in logs.items():
            term, _, key = name.partition('.')
            if term in TERMS and key.endswith('loss_ce'):
                values[f"log_{TERMS[term]}{key.replace('loss_ce', 'loss_seg')}"] = value
            elif term in TERMS and key.endswith('acc_seg'):
                # The original counts ignored pixels as wrong.
                values[f'log_{TERMS[term]}{key}'] = value * self._valid_share(
                    term, '.hr.' in key, prefix)
        if f'source.{DISTANCE}' in logs:
            values['log_src.loss_imnet_feat_dist'] = logs[f'source.{DISTANCE}']
        return values

    def _valid_share(self, term, detail, prefix):
        panel = {'source': 'source', 'self_training': 'mixed', 'mic': 'masked'}[term]
        labels = torch.stack([s.gt_sem_seg.data for s in self.model.panels[panel].data_samples])
        if detail:
            index = self.terms.index(term)
            y1, y2, x1, x2 = self.case[f'{prefix}draw_hr_boxes'][index].tolist()
            labels = labels[..., y1:y2, x1:x2]
        return (labels != IGNORE).float().mean()

    def _after(self, logs):
        grads = self.optimizer.gradients
        values = {f'grad/{name}': grad for name, grad in in_original_names(grads).items()}
        values['grad_norms'] = self.tables.norms(grads)
        values['student_after_step_norms'] = self.tables.norms(parameters_of(self.model.student))
        values['student_after_step_heads'] = self.tables.heads(parameters_of(self.model.student))
        for branch in ('student', 'teacher'):
            network = getattr(self.model, branch)
            if network is not None:
                network = network if branch == 'student' else network.model
                values.update({f'bn_{branch}/{n}': b for n, b in network.named_buffers()})
        values.update(self._images('mixed'))
        values.update(self._images('masked'))
        if 'pseudo_label' in self.model.panels:
            samples = self.model.panels['pseudo_label'].data_samples
            values['pseudo_label'] = torch.cat([s.gt_sem_seg.data for s in samples])
            values['confident_share'] = logs['self_training.confident_share']
        return values

    def _images(self, panel):
        if panel not in self.model.panels:
            return {}
        images = self.model.panels[panel]
        values = {
            f'{panel}_image': images.inputs,
            f'{panel}_label': torch.stack([s.gt_sem_seg.data for s in images.data_samples])
        }
        if any('loss_weight' in s for s in images.data_samples):
            values[f'{panel}_weight'] = torch.cat([
                s.loss_weight.data if 'loss_weight' in s else torch.ones_like(
                    s.gt_sem_seg.data, dtype=torch.float32) for s in images.data_samples
            ])
        return values


def is_result(name):
    key = name.split('/')[1]
    return not key.startswith(('draw_', 'min_'))


def depends_on_rectifiers(name):
    """Gradients, and what comes after a step with them.

    Colours agree to 4e-6. In single precision that is enough for the input of
    a rectifier close to zero to have the other sign, and in a network of four
    channels one rectifier counts.
    """
    return name.startswith('it1/') or 'grad' in name


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('name', CASES)
def test_seg_two_iterations_equal_the_original(name, dtype):
    replay = Replay(name, dtype)
    for iteration in (0, 1):
        replay.run(iteration)
    results = [n for n in replay.case.names('it*') if is_result(n)]
    missing = [n for n in results if n not in replay.computed]
    assert not missing, f'nothing of ours is compared with {missing}'
    for result in results:
        if dtype == torch.float64 or not depends_on_rectifiers(result):
            replay.case.assert_within(result, replay.computed[result])


def test_seg_every_recorded_iteration_is_replayed():
    manifest = json.loads((golden_root() / 'seg' / 'manifest.json').read_text())
    recorded = [f for f in manifest['files'] if 'uda' in f.get('config', {})]
    assert len(recorded) == len(CASES) > 0
    assert {'DACS'} == {f['config']['uda']['type'] for f in recorded}
    assert all(f['config']['inputs'] for f in recorded)

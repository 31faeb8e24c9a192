# Copyright (c) mic_mm authors. All rights reserved.
"""Whole training iterations of MIC(SADA), as the original recorded them."""
import re

import numpy as np
import pytest
import torch
from mmengine.optim import LinearLR, MultiStepLR, OptimWrapper

from mic_mm.core import EMATeacher
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import background_last
from mic_mm.testing.original_sada import (
    PASSES,
    SADADraws,
    in_original_layout,
    load_recorded_weights,
    match_boxes,
    our_name,
    recorded_batch,
    recorded_numbers,
    sada_model_config,
)

pytestmark = pytest.mark.golden
ITERATIONS = (0, 1)
LOSSES = dict(
    loss_classifier='joint.source.loss_cls', loss_box_reg='joint.source.loss_bbox',
    loss_objectness='joint.source.loss_rpn_cls', loss_rpn_box_reg='joint.source.loss_rpn_bbox',
    loss_da_image='joint.image.loss', loss_da_instance='joint.instance.loss',
    loss_da_consistency='joint.consistency.loss', loss_classifier_mask='mic.loss_cls',
    loss_objectness_mask='mic.loss_rpn_cls', loss_box_reg_mask='excluded.loss_bbox',
    loss_rpn_box_reg_mask='excluded.loss_rpn_bbox', total='loss')


@OPTIM_WRAPPERS.register_module()
class RecordingSGDWrapper(OptimWrapper):
    """Keeps the gradients of the last step."""

    def step(self, **kwargs):
        self.gradients = {
            id(p): torch.zeros_like(p) if p.grad is None else p.grad.clone()
            for group in self.param_groups for p in group['params']}
        super().step(**kwargs)


def optimizer_of(model):
    solver = load_golden('det', 'solver').config
    wrapper = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mic_mm.UDAOptimWrapperConstructor',
            optim_wrapper_cfg=dict(
                type='mic_mm.RecordingSGDWrapper',
                optimizer=dict(
                    type='SGD', lr=solver['base_lr'], momentum=solver['momentum'],
                    weight_decay=solver['weight_decay'])),
            paramwise_cfg=dict(bias_lr_mult=solver['bias_lr_factor'], bias_decay_mult=0.)))(model)
    warmup = LinearLR(
        wrapper, start_factor=solver['warmup_factor'], by_epoch=False, begin=0,
        end=solver['warmup_iters'] + 1)
    steps = MultiStepLR(wrapper, solver['steps'], gamma=solver['gamma'], by_epoch=False)
    return wrapper, (warmup, steps)


class Replay:
    """Iterations of ours with the random numbers of the recording."""

    def __init__(self):
        self.case = load_golden('det', 'train_iterations')
        torch.manual_seed(0)
        self.model = MODELS.build(sada_model_config(self.case)).train()
        load_recorded_weights(self.model, self.case)
        self.model.record_panels = True
        self.heads = self.model.objectives['joint'].heads
        self.head_teacher = EMATeacher(self.heads, self.model.teacher.alpha, warmup=False)
        self.optimizer, self.schedules = optimizer_of(self.model)
        self.checked = set()
        self._observe()

    def check(self, name, actual, expected=None):
        self.case.assert_within(name, actual, expected)
        self.checked.add(name)

    def _observe(self):
        """Look at what the student computes on the way."""
        student, teacher = self.model.student, self.model.teacher.model
        for owner, method, observer in (
            (student.rpn_head, 'loss_and_predict', self.check_proposals),
            (student.roi_head, 'sample_rois', self.find_regions),
            (student.roi_head, 'forward_rois', self.check_regions),
            (student.rpn_head.sampler, 'sample', self.check_anchors),
            (teacher, 'predict', self.check_detections),
            (self.model, 'weighted_loss', self.keep_losses)):
            setattr(owner, method, observer(getattr(owner, method)))

    def run(self, iteration):
        self.prefix, self.passes = f'iter{iteration}/', iter(PASSES.items())
        anchors = len(self.case[f'{self.prefix}student/img0/anchor_labels'])
        self.draws = SADADraws(recorded_numbers(self.case, iteration, anchors))
        self.model.draws_of_iteration = lambda *args: self.draws
        self.model.update_teachers()
        self.head_teacher.update(self.heads)
        if iteration == 1:
            self.check_parameters('teacher_head', {
                **dict(self.model.teacher.model.named_parameters()),
                **dict(self.head_teacher.model.named_parameters())})
        self.check(f'{self.prefix}lr', np.float64(min(
            group['lr'] for group in self.optimizer.param_groups)))
        logs = self.model.train_step(recorded_batch(self.case, iteration), self.optimizer)
        for schedule in self.schedules:
            schedule.step()
        self.draws.assert_all_used()
        self.check_losses(logs)
        self.check_pseudo_boxes()
        self.check_gradients()
        self.check_parameters('after_head' if iteration == 0 else 'after', self.named())

    def check_proposals(self, loss_and_predict):
        def observed(*args, **kwargs):
            self.objective, self.network_pass = next(self.passes)
            self.image_of_anchors = iter(range(10))
            losses, self.proposals = loss_and_predict(*args, **kwargs)
            return losses, self.proposals
        return observed

    def find_regions(self, sample_rois):
        def observed(proposals, samples):
            candidates, head = [], self.model.student.roi_head
            for index, (found, sample) in enumerate(zip(proposals, samples)):
                extra = head._extra_boxes(found.bboxes, sample)
                boxes = torch.cat([found.bboxes, extra])
                scores = torch.cat([found.scores, torch.ones(len(extra))])
                self._check_candidates(self._image(index), boxes, scores)
                candidates.append(boxes)
            self.draws.find_regions(
                f'{self.objective}.roi.sample_keys', candidates,
                [torch.from_numpy(self.case[f'{self._image(i)}rois'])
                 for i in range(len(candidates))])
            return sample_rois(proposals, samples)
        return observed

    def _image(self, index):
        return f'{self.prefix}{self.network_pass}/img{index}/'

    def _check_candidates(self, prefix, boxes, scores):
        order = match_boxes(boxes, torch.from_numpy(self.case[f'{prefix}proposals']))
        assert len(order) == len(boxes)
        self.check(f'{prefix}proposals', boxes[order])
        self.check(f'{prefix}proposal_scores', scores[order])

    def check_anchors(self, sample):
        def observed(assign_result, *args, **kwargs):
            name = f'{self._image(next(self.image_of_anchors))}anchor_labels'
            self.check(name, assign_result.gt_inds.clamp(max=1))
            return sample(assign_result, *args, **kwargs)
        return observed

    def check_regions(self, forward_rois):
        def observed(features, targets):
            found = forward_rois(features, targets)
            background = self.model.student.roi_head.bbox_head.num_classes
            labels = torch.where(found.labels == background, 0, found.labels + 1)
            for index in found.rois[:, 0].unique().int().tolist():
                rows, prefix = found.rois[:, 0] == index, self._image(index)
                self.check(f'{prefix}roi_labels', labels[rows])
                if f'{prefix}roi_targets' in self.case:
                    objects = labels[rows] > 0
                    self.check(f'{prefix}roi_targets', found.bbox_targets[rows][objects],
                               self.case[f'{prefix}roi_targets'][objects.numpy()])
            prefix = f'{self.prefix}{self.network_pass}/'
            recorded = torch.from_numpy(self.case[f'{prefix}class_logits'])
            self.check(f'{prefix}class_logits', found.cls_score, background_last(recorded))
            self.check(f'{prefix}box_regression', found.bbox_pred,
                       self.case[f'{prefix}box_regression'][:, 4:])
            return found
        return observed

    def check_detections(self, predict):
        def observed(*args, **kwargs):
            found = predict(*args, **kwargs)
            for index, sample in enumerate(found):
                prefix, boxes = f'{self.prefix}teacher/img{index}/', sample.pred_instances
                order = match_boxes(boxes.bboxes, torch.from_numpy(self.case[f'{prefix}boxes']))
                assert len(order) == len(boxes)
                self.check(f'{prefix}boxes', boxes.bboxes[order])
                self.check(f'{prefix}scores', boxes.scores[order])
                self.check(f'{prefix}labels', boxes.labels[order] + 1)
            return found
        return observed

    def keep_losses(self, weighted_loss):
        def observed(*args):
            self.all_masked = weighted_loss(*args)
            return self.all_masked
        return observed

    def check_losses(self, logs):
        logs = dict(logs, **{f'excluded.{k}': v for k, v in self.all_masked.items()})
        assert not any('bbox' in key for key in logs if key.startswith('mic.'))
        for theirs, ours in LOSSES.items():
            self.check(f'{self.prefix}losses/{theirs}', logs[ours])

    def check_pseudo_boxes(self):
        masked = self.model.panels['masked']
        self.check(f'{self.prefix}masked_target', masked.inputs)
        kept = [i for i, sample in enumerate(masked.data_samples) if sample.loss_weight > 0]
        self.check(f'{self.prefix}pseudo/kept_images', kept)
        for position, index in enumerate(kept):
            boxes = masked.data_samples[index].gt_instances
            prefix = f'{self.prefix}pseudo/img{position}/'
            if f'{prefix}boxes' not in self.case:
                prefix = f'{self.prefix}pseudo/img{index}/'
            self.check(f'{prefix}boxes', boxes.bboxes)
            self.check(f'{prefix}labels', boxes.labels + 1)

    def named(self):
        return {**dict(self.model.student.named_parameters()),
                **dict(self.heads.named_parameters())}

    def check_gradients(self):
        gradients = {name: self.optimizer.gradients[id(p)] for name, p in self.named().items()
                     if id(p) in self.optimizer.gradients}
        norms = self.recorded('grad_norm')
        trained = {our_name(name) for name in norms}
        assert not any(grad.any() for name, grad in gradients.items() if name not in trained)
        for name in norms:
            self.check(f'{self.prefix}grad_norm/{name}', gradients[our_name(name)].norm())
        self.check_parameters('grad', gradients)

    def recorded(self, kind):
        prefix = f'{self.prefix}{kind}/'
        return [name.removeprefix(prefix) for name in self.case.names(f'{prefix}*')]

    def check_parameters(self, kind, tensors):
        for name, value in in_original_layout(tensors, self.recorded(kind)).items():
            path = f'{self.prefix}{kind}/{name}'
            expected = self.case[path]
            if kind.endswith('_head'):
                value = value.flatten()[:expected.size]
            # Box regression of the background is theirs alone.
            ours = ~value.isnan()
            assert ours.all() or '.bbox_pred.' in name
            self.check(path, value[ours], expected[ours.numpy()])


@pytest.fixture(scope='module')
def replayed():
    replay = Replay()
    for iteration in ITERATIONS:
        replay.run(iteration)
    return replay


def test_det_two_iterations_equal_the_original(replayed):
    results = {
        name for name in replayed.case.names('iter*')
        if not re.search(r'draw|sigma|_images$|source_gt|rpn_(positive|negative)|dropout|/rois$',
                         name)
        or name.endswith('kept_images')}
    assert replayed.checked == results


def test_det_instance_head_of_other_levels_is_not_trained(replayed):
    """It is listed without gradient in the recording."""
    for name in replayed.case.config['parameters_without_gradient']:
        parameter = replayed.named()[our_name(name)]
        assert not replayed.optimizer.gradients[id(parameter)].any()

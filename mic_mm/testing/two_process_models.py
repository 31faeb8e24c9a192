# Copyright (c) mic_mm authors. All rights reserved.
"""UDA models of which two processes should compute what one does.

Nothing is drawn at random in a forward pass, and nothing is normalised over
the images of a batch.
"""
from __future__ import annotations

import torch
from mmdet.structures import DetDataSample
from torch import nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.det import BoxLabeller
from mic_mm.registry import MODELS, TASK_UTILS

from . import batches, models

# With other images a proposal may lie at a threshold, on one side or the other
# after rounding.
FIRST_BATCH = 300


def _segmentor() -> dict:
    return models.tiny_segmentor(norm='GN')


def _classifier() -> dict:
    return models.tiny_classifier(norm='GN')


def _two_stage_detector() -> dict:
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
    seg=('UDASegmentor', 'segmentor', _segmentor),
    cls=('UDAClassifier', 'classifier', _classifier),
    cls_sam=('UDAClassifier', 'classifier', _classifier),
    det_two_stage=('UDADetector', 'detector', _two_stage_detector),
    det_sada=('UDADetector', 'detector', _two_stage_detector),
    det_one_stage=('UDADetector', 'detector', models.tiny_one_stage_detector))
THRESHOLDS = dict(
    seg=0.26,
    cls=None,
    cls_sam=None,
    det_two_stage=0.4,
    det_sada=0.4,
    det_one_stage=0.12)
DETECTORS = ('det_two_stage', 'det_one_stage')
# Dropout is off: its masks belong to regions, which are dealt out by image.
SADA = dict(
    type='mic_mm.DomainAdversarialDetection',
    image_head=dict(hidden_dim=8, init_std=0.1),
    instance_head=dict(hidden_dim=8, init_std=0.1, dropout=0.),
    consistency=dict(gradient_scale=0.1))


def spread_scores(student: nn.Module) -> None:
    """Keep rankings from depending on rounding: scores of new heads tie."""
    for name, parameter in student.named_parameters():
        if name.endswith(('rpn_cls.weight', 'fc_cls.weight')):
            parameter.data.mul_(20)


@TASK_UTILS.register_module()
class HalfBlindLabeller(BoxLabeller):
    """Finds nothing in images that are marked."""

    def predict(self, teacher: nn.Module,
                images: LabelledImages) -> list[DetDataSample]:
        """Data samples with ``pred_instances``."""
        found = super().predict(teacher, images)
        for sample in found:
            if sample.metainfo.get('is_dark', False):
                sample.pred_instances = sample.pred_instances[:0]
        return found


def build(task: str) -> UDAModel:
    """The model of a task, the same each time."""
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


def data_of_rank(task: str,
                 iteration: int,
                 rank: int,
                 world_size: int,
                 has_dark: bool = False) -> dict:
    """The part of a process of a batch of four images of each domain.

    Args:
        task (str): A key of :data:`MODELS_TO_TRAIN`.
        iteration (int): Which batch.
        rank (int): Which process.
        world_size (int): Number of processes.
        has_dark (bool): Whether :class:`HalfBlindLabeller` finds nothing on
            rank 0. Defaults to False.
    """
    make = getattr(batches, f'{task[:3]}_batch')

    def part(seed: int, has_dark: bool = False) -> dict:
        batch = make(seed, count=4)
        for index, sample in enumerate(batch['data_samples']):
            # Images 0 and 2 go to rank 0.
            sample.set_metainfo(dict(is_dark=has_dark and index % 2 == 0))
        return {key: value[rank::world_size] for key, value in batch.items()}

    return dict(
        source=part(FIRST_BATCH + iteration),
        target=batches.without_labels(
            part(1000 + FIRST_BATCH + iteration, has_dark)))

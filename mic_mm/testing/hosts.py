# Copyright (c) mic_mm authors. All rights reserved.
"""Runs of all kinds of hosts, of which a test exports the networks."""
from __future__ import annotations

from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mic_mm.core import UDAModel
from mic_mm.registry import MODELS

from .batches import cls_batch, det_batch, seg_batch, without_labels
from .models import tiny_classifier, tiny_detector, tiny_one_stage_detector, tiny_segmentor
from .models_det import tiny_dino, tiny_retinanet
from .models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda
from .original_detector import published_detector

SOURCE = dict(type='mic_mm.SourceSupervision')
MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))


def tiny_vit(img_size: int = 32) -> dict:
    """A vision transformer whose classes are four."""
    return dict(
        type='ImageClassifier',
        data_preprocessor=dict(
            type='ClsDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            to_rgb=True),
        backbone=dict(
            type='VisionTransformer',
            arch=dict(
                embed_dims=16,
                num_layers=2,
                num_heads=2,
                feedforward_channels=32),
            img_size=img_size,
            patch_size=16),
        head=dict(
            type='LinearClsHead', num_classes=4, in_channels=16))


def tiny_sada(num_classes: int = 4) -> dict:
    """The detector of SADA in the geometry that was published."""
    model = published_detector()
    model.backbone.update(
        depth=18, base_channels=8, stem_channels=8, init_cfg=None)
    model.neck.update(in_channels=[8, 16, 32, 64], out_channels=8)
    model.rpn_head.update(in_channels=8, feat_channels=8)
    model.roi_head.bbox_roi_extractor.out_channels = 8
    model.roi_head.bbox_head.update(
        in_channels=8, fc_out_channels=12, num_classes=num_classes)
    return model


DAFORMER = dict(
    source=SOURCE, self_training=dict(type='mic_mm.ClassMixSelfTraining'))
ADVSEG = dict(
    source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True),
    alignment=dict(
        type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=4)))


def cdan(feature_dim: int) -> dict:
    """Objectives of CDAN with MCC."""
    return dict(
        joint=dict(
            type='mic_mm.JointSupervision',
            terms=dict(
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=4,
                    feature_dim=feature_dim),
                mcc=dict(type='mic_mm.MinimumClassConfusion'))))


SADA = dict(
    joint=dict(
        type='mic_mm.DomainAdversarialDetection',
        image_head=dict(gradient_scale=0.1)))
HOSTS = {
    'daformer': ('seg', tiny_daformer, DAFORMER),
    'hrda': ('seg', tiny_hrda, DAFORMER),
    'dlv2-dacs': ('seg', tiny_dlv2, DAFORMER),
    'dlv2-advseg': ('seg', tiny_dlv2, ADVSEG),
    'segmentor': ('seg', tiny_segmentor, dict(source=SOURCE)),
    'resnet-cdan-mcc': ('cls', tiny_classifier, cdan(8)),
    'vit-cdan-mcc': ('cls', tiny_vit, cdan(16)),
    'faster-rcnn': ('det', tiny_detector, dict(source=SOURCE)),
    'sada': ('det', tiny_sada, SADA),
    'retinanet': ('det', tiny_retinanet, dict(source=SOURCE)),
    'fcos': ('det', tiny_one_stage_detector, dict(source=SOURCE)),
    'dino': ('det', tiny_dino, dict(source=SOURCE)),
}
TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor',
            lambda seed: seg_batch(seed, size=64)),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier', cls_batch),
    'det': ('mmdet', 'UDADetector', 'detector', det_batch),
}


def wrapped(host: str, **options: Any) -> tuple[Config, UDAModel]:
    """Config and model of a run whose two branches are different.

    Args:
        host (str): Of ``HOSTS``.
        **options: Further settings of the model.
    """
    task, student, objectives = HOSTS[host]
    scope, kind, key, _ = TASKS[task]
    cfg = Config(
        dict(
            default_scope=scope,
            model=dict(
                type=f'mic_mm.{kind}',
                teacher=dict(type='mic_mm.EMATeacher'),
                objectives=dict(objectives, mic=MIC),
                **{key: student()},
                **options)))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        model = MODELS.build(cfg.model)
    if host == 'dino':
        # Some parameters are memory as it was found until then. Heads of one
        # stage would find nothing with their initial weights.
        model.student.init_weights()
    model.update_teachers()
    for parameter in model.student.parameters():
        parameter.data.mul_(1.1)
    return cfg, model.eval()


def predicted(model: nn.Module, batch: dict) -> list[Tensor]:
    """Tensors of a prediction by the library's own test step."""
    with torch.no_grad():
        samples = model.test_step(without_labels(batch))
    if hasattr(samples[0], 'pred_instances'):
        return [s.pred_instances.scores for s in samples
                ] + [s.pred_instances.bboxes for s in samples]
    if hasattr(samples[0], 'seg_logits'):
        return [s.seg_logits.data for s in samples]
    return [s.pred_score for s in samples]


def batch_of(host: str, seed: int) -> dict:
    """A labelled batch for a host."""
    return TASKS[HOSTS[host][0]][3](seed)

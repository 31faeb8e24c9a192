# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmdet.models import RPNHead
from mmdet.models.task_modules import SamplingResult
from mmdet.models.task_modules.prior_generators import anchor_inside_flags
from mmengine.structures import InstanceData
from torch import Tensor

from mic_mm.core.drawing import DrawingModule
from mic_mm.det.geometry.inclusive_boxes import to_image_boxes
from mic_mm.det.geometry.key_sampler import KeySampler
from mic_mm.registry import MODELS

from .domain_samples import domain_meta, ground_truth
from .proposal_selection import keep_best_of_batch, keep_best_of_image, select_of_level
from .sample_keys import draw_sample_keys
from .student_weights import check_pseudo_weight, objectness_weights

_SCOPES = ('batch', 'image')


@MODELS.register_module()
class SADARPNHead(DrawingModule, RPNHead):
    """Region proposals as in SADA and MIC's detection experiments.

    The network is MMDetection's.  Different are

    * matching: all anchors take part, and those that cross the border of the
      image are left out afterwards;
    * the loss: images with ``is_source=False`` have none; anchors of images
      with ``is_pseudo=True`` are weighted by the student's objectness;
    * normalisation: the number of sampled anchors, exactly;
    * proposals: suppression per level without shifted copies, at most
      ``nms_post`` per level, and a limit over the whole batch in training.

    It draws ``rpn.sample_keys``, ``(images, anchors)``.

    Args:
        *args: See MMDetection's ``RPNHead``.
        proposal_topk_scope (str): Whether ``max_per_img`` proposals are kept
            of the whole ``'batch'`` or of each ``'image'`` in training. With
            ``'batch'`` a target image may lose most of its proposals to the
            source image. Defaults to ``'batch'``, as published.
        pseudo_weight (str, optional): ``'prob'``, or None for equal weights.
            Defaults to ``'prob'``, as in MIC.
        detach_rpn_weight (bool): Whether the weight is a constant; see
            :func:`objectness_weights`. Defaults to False, as published.
        **kwargs: See MMDetection's ``RPNHead``. ``train_cfg.sampler`` has to
            be a ``mic_mm.KeySampler``.

    Raises:
        ValueError: If an option is unknown.
        TypeError: If the sampler is of another type.
    """

    def __init__(self,
                 *args,
                 proposal_topk_scope: str = 'batch',
                 pseudo_weight: Optional[str] = 'prob',
                 detach_rpn_weight: bool = False,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if proposal_topk_scope not in _SCOPES:
            raise ValueError(
                f'rpn_head.proposal_topk_scope={proposal_topk_scope!r} is '
                f'unknown; choose one of {_SCOPES}.')
        check_pseudo_weight(pseudo_weight, 'rpn_head')
        sampler = getattr(self, 'sampler', None)
        if sampler is not None and not isinstance(sampler, KeySampler):
            raise TypeError(
                f'train_cfg.rpn.sampler is a {type(sampler).__name__}; '
                "SADARPNHead needs type='mic_mm.KeySampler'.")
        self.proposal_topk_scope = proposal_topk_scope
        self.pseudo_weight = pseudo_weight
        self.detach_rpn_weight = detach_rpn_weight

    def forward(self, x: tuple[Tensor]) -> tuple[list, list]:
        """Objectness and codes per level, ``(N, A, H, W)``, ``(N, 4 A, H, W)``.

        In float32, also in mixed precision: coordinates need it.
        """
        scores, deltas = super().forward(x)
        return [s.float() for s in scores], [d.float() for d in deltas]

    def loss_and_predict(self, x: tuple[Tensor], batch_data_samples: list,
                         proposal_cfg=None) -> tuple[dict, list]:
        """Losses of the labelled images and proposals of all.

        Args:
            x (tuple[Tensor]): Features of all levels.
            batch_data_samples (list[DetDataSample]): See
                :mod:`mic_mm.det.models.domain_samples`.
            proposal_cfg (ConfigDict, optional): Defaults to ``test_cfg``.
        """
        cfg = (self.test_cfg if proposal_cfg is None else proposal_cfg).copy()
        outputs = self(x)
        metas = [domain_meta(sample) for sample in batch_data_samples]
        truths = [
            ground_truth(sample, x[0].device) for sample in batch_data_samples
        ]
        losses = self.loss_by_feat(  # type: ignore[call-arg]
            *outputs, truths, metas,
            [s.get('ignored_instances') for s in batch_data_samples])
        if self.proposal_topk_scope == 'image':
            return losses, self.predict_by_feat(
                *outputs, batch_img_metas=metas, cfg=cfg)
        number, cfg['max_per_img'] = cfg['max_per_img'], -1
        proposals = self.predict_by_feat(
            *outputs, batch_img_metas=metas, cfg=cfg)
        return losses, keep_best_of_batch(proposals, number)

    def loss_by_feat(self,
                     cls_scores: list[Tensor],
                     bbox_preds: list[Tensor],
                     batch_gt_instances: list[InstanceData],
                     batch_img_metas: list[dict],
                     batch_gt_instances_ignore: Optional[list] = None) -> dict:
        """Losses of maps ``(N, A, H, W)`` and ``(N, 4 A, H, W)`` per level."""
        logits = flatten_levels(cls_scores, 1).squeeze(-1)
        deltas = flatten_levels(bbox_preds, 4)
        anchors = torch.cat(
            self.prior_generator.grid_priors(
                [score.shape[-2:] for score in cls_scores],
                device=logits.device))
        images, boxes = logits.shape
        keys = draw_sample_keys(self.draws, 'rpn.sample_keys', images, boxes,
                                logits.device)
        ignored = batch_gt_instances_ignore or [None] * len(logits)
        samples = {
            i: self.sample_anchors(anchors, batch_gt_instances[i], meta,
                                   ignored[i], keys[i])
            for i, meta in enumerate(batch_img_metas)
            if meta.get('is_source', True)
        }
        number = sum(sample.avg_factor for sample in samples.values())
        if number == 0:
            return dict(
                loss_rpn_cls=logits.sum() * 0, loss_rpn_bbox=deltas.sum() * 0)
        pseudo = [meta.get('is_pseudo', False) for meta in batch_img_metas]
        return dict(
            loss_rpn_cls=self._objectness_loss(logits, samples, pseudo,
                                               number),
            loss_rpn_bbox=self._box_loss(deltas, samples, number))

    def sample_anchors(self, anchors: Tensor, truth: InstanceData, meta: dict,
                       ignored: Optional[InstanceData],
                       keys: Tensor) -> SamplingResult:
        """Match all anchors of an image and sample from those inside."""
        priors = InstanceData(priors=anchors)
        assigned = self.assigner.assign(priors, truth, ignored)
        inside = anchor_inside_flags(
            anchors, anchors.new_ones(len(anchors), dtype=torch.bool),
            meta['img_shape'], self.train_cfg['allowed_border'])
        assigned.gt_inds[~inside] = -1
        return self.sampler.sample(assigned, priors, truth, keys=keys)

    def _objectness_loss(self, logits: Tensor,
                         samples: dict[int, SamplingResult],
                         pseudo: list[bool], number: int) -> Tensor:
        chosen = {
            i: torch.cat([sample.pos_inds, sample.neg_inds])
            for i, sample in samples.items()
        }
        flat = torch.cat([logits[i, inds] for i, inds in chosen.items()])
        # The object class is 0; background is the class after the last.
        labels = torch.cat([
            torch.cat([
                torch.zeros_like(sample.pos_inds),
                torch.ones_like(sample.neg_inds)
            ]) for sample in samples.values()
        ])
        is_weighted = self.pseudo_weight is not None
        weighted = torch.cat([
            torch.full_like(inds, is_weighted and pseudo[i], dtype=torch.bool)
            for i, inds in chosen.items()
        ])
        weights = objectness_weights(flat, weighted, self.detach_rpn_weight)
        return self.loss_cls(
            flat[:, None], labels, weights, avg_factor=number)

    def _box_loss(self, deltas: Tensor, samples: dict[int, SamplingResult],
                  number: int) -> Tensor:
        predicted = torch.cat(
            [deltas[i, sample.pos_inds] for i, sample in samples.items()])
        targets = torch.cat([
            self.bbox_coder.encode(sample.pos_priors, sample.pos_gt_bboxes)
            for sample in samples.values()
        ])
        return self.loss_bbox(predicted, targets, avg_factor=number)

    def _predict_by_feat_single(self,
                                cls_score_list,
                                bbox_pred_list,
                                score_factor_list,
                                mlvl_priors,
                                img_meta,
                                cfg,
                                rescale=False,
                                with_nms=True) -> InstanceData:
        cfg = self.test_cfg if cfg is None else cfg
        levels = [
            select_of_level(
                scores.permute(1, 2, 0).reshape(-1).sigmoid(),
                deltas.permute(1, 2, 0).reshape(-1, 4), anchors,
                self.bbox_coder, img_meta['img_shape'], cfg)
            for scores, deltas, anchors in zip(cls_score_list, bbox_pred_list,
                                               mlvl_priors)
        ]
        results = keep_best_of_image(
            InstanceData.cat(levels), cfg['max_per_img'])
        results.labels = torch.zeros_like(results.scores, dtype=torch.long)
        if rescale:
            results.bboxes = to_image_boxes(results.bboxes,
                                            img_meta['scale_factor'])
        return results


def flatten_levels(maps: list[Tensor], channels: int) -> Tensor:
    """Maps ``(N, A C, H, W)`` per level as ``(N, all anchors, C)``."""
    return torch.cat([
        level.permute(0, 2, 3, 1).reshape(len(level), -1, channels)
        for level in maps
    ], 1)

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from dataclasses import fields
from typing import Optional

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mic_mm.core.drawing import DrawingModule
from mic_mm.det.geometry.inclusive_boxes import full_image_box
from mic_mm.det.geometry.key_sampler import KeySampler
from mic_mm.registry import MODELS

from .domain_samples import ground_truth, is_pseudo, is_source
from .sample_keys import draw_sample_keys
from .sampled_rois import RoITargets, SampledRoIs
from .student_weights import check_pseudo_weight, class_weights


@MODELS.register_module()
class SADARoIHead(DrawingModule, StandardRoIHead):
    """Box head as in SADA and MIC's detection experiments.

    The network is MMDetection's.  Different are

    * RoIs: those of an image with ``is_source=False`` are drawn from all its
      proposals and boxes, as background, for the domain classifiers;
    * the loss: such images have none; RoIs of images with ``is_pseudo=True``
      are weighted by the student's confidence;
    * :meth:`loss_and_rois` returns the sampled RoIs and their features.

    It draws ``roi.sample_keys``, ``(images, largest number of candidates)``.

    Args:
        *args: See MMDetection's ``StandardRoIHead``.
        pseudo_weight (str, optional): ``'prob'``, or None for equal weights.
            Defaults to ``'prob'``, as in MIC.
        target_dummy_proposal (bool): Whether a box as large as the image is
            added to the proposals of an image without labels. Defaults to
            True, as published.
        **kwargs: See MMDetection's ``StandardRoIHead``. ``train_cfg.sampler``
            has to be a ``mic_mm.KeySampler``.

    Raises:
        ValueError: If ``pseudo_weight`` is unknown or there is a mask head.
        TypeError: If the sampler is of another type.
    """

    def __init__(self,
                 *args,
                 pseudo_weight: Optional[str] = 'prob',
                 target_dummy_proposal: bool = True,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        check_pseudo_weight(pseudo_weight, 'roi_head')
        if self.with_mask:
            raise ValueError('SADARoIHead has no mask loss; remove '
                             'roi_head.mask_head.')
        if self.bbox_sampler is not None and not isinstance(
                self.bbox_sampler, KeySampler):
            raise TypeError(
                f'train_cfg.rcnn.sampler is a '
                f'{type(self.bbox_sampler).__name__}; SADARoIHead needs '
                "type='mic_mm.KeySampler'.")
        self.pseudo_weight = pseudo_weight
        self.target_dummy_proposal = target_dummy_proposal

    def loss(self, x: tuple[Tensor], rpn_results_list: list[InstanceData],
             batch_data_samples: list) -> dict:
        """Losses of the labelled images."""
        return self.loss_and_rois(x, rpn_results_list, batch_data_samples)[0]

    def loss_and_rois(
            self, x: tuple[Tensor], rpn_results_list: list[InstanceData],
            batch_data_samples: list) -> tuple[dict, SampledRoIs]:
        """Losses of the labelled images, and the sampled RoIs of all.

        Args:
            x (tuple[Tensor]): Features of all levels.
            rpn_results_list (list[InstanceData]): Proposals of each image, as
                ``bboxes``.
            batch_data_samples (list[DetDataSample]): See
                :mod:`mic_mm.det.models.domain_samples`.
        """
        targets = self.sample_rois(rpn_results_list, batch_data_samples)
        sampled = self.forward_rois(x, targets)
        return self.loss_of_rois(sampled), sampled

    def sample_rois(self, rpn_results_list: list[InstanceData],
                    batch_data_samples: list) -> RoITargets:
        """Match and sample RoIs of each image."""
        candidates = [
            torch.cat(
                [found.bboxes,
                 self._extra_boxes(found.bboxes, sample)])
            for found, sample in zip(rpn_results_list, batch_data_samples)
        ]
        keys = draw_sample_keys(self.draws, 'roi.sample_keys',
                                len(candidates), max(map(len, candidates)),
                                candidates[0].device)
        images = [
            self._sample_image(*args)
            for args in zip(candidates, batch_data_samples, keys)
        ]
        rois = bbox2roi([boxes for boxes, *_ in images])
        counts = torch.tensor([len(boxes) for boxes, *_ in images])
        return RoITargets(
            rois=rois,
            labels=torch.cat([labels for _, labels, _ in images]),
            bbox_targets=torch.cat([targets for *_, targets in images]),
            is_source=_per_roi(is_source, batch_data_samples, counts, rois),
            is_pseudo=_per_roi(is_pseudo, batch_data_samples, counts, rois))

    def _extra_boxes(self, proposals: Tensor, sample) -> Tensor:
        given = proposals[:0]
        if 'gt_instances' in sample:
            given = sample.gt_instances.bboxes
        if is_source(sample) or not self.target_dummy_proposal:
            return given
        whole = proposals.new_tensor([full_image_box(sample.img_shape)])
        return torch.cat([given, whole])

    def _sample_image(self, candidates: Tensor, sample,
                      keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, labels and encoded targets of the samples of an image."""
        truth = ground_truth(sample, candidates.device)
        priors = InstanceData(priors=candidates)
        ignored = sample.get('ignored_instances')
        assigned = self.bbox_assigner.assign(priors, truth, ignored)
        result = self.bbox_sampler.sample(
            assigned, priors, truth, keys=keys[:len(candidates)])
        chosen = torch.cat([result.pos_inds, result.neg_inds]).sort().values
        boxes, matched = candidates[chosen], assigned.gt_inds[chosen]
        labels = torch.full_like(matched, self.bbox_head.num_classes)
        if len(truth) == 0:
            return boxes, labels, torch.zeros_like(boxes)
        own = (matched - 1).clamp(min=0)
        labels = torch.where(matched > 0, truth.labels[own], labels)
        coder = self.bbox_head.bbox_coder
        return boxes, labels, coder.encode(boxes, truth.bboxes[own])

    def forward_rois(self, x: tuple[Tensor],
                     targets: RoITargets) -> SampledRoIs:
        """Pool and classify the sampled RoIs, in one pass."""
        extractor = self.bbox_roi_extractor
        with _InputOf(self.bbox_head.fc_cls) as classifier:
            predicted = self._bbox_forward(x, targets.rois)
        return SampledRoIs(
            **{f.name: getattr(targets, f.name)
               for f in fields(targets)},
            cls_score=predicted['cls_score'].float(),
            bbox_pred=predicted['bbox_pred'].float(),
            features=classifier.input,
            levels=extractor.map_roi_levels(targets.rois,
                                            extractor.num_inputs))

    def loss_of_rois(self, sampled: SampledRoIs) -> dict:
        """Losses of the RoIs whose labels count."""
        rows = sampled.is_source
        if not rows.any():
            return dict(
                loss_cls=sampled.cls_score.sum() * 0,
                loss_bbox=sampled.bbox_pred.sum() * 0)
        scores, targets = sampled.cls_score[rows], sampled.bbox_targets[rows]
        weighted = sampled.is_pseudo[rows]
        if self.pseudo_weight is None:
            weighted = torch.zeros_like(weighted)
        return self.bbox_head.loss(scores, sampled.bbox_pred[rows],
                                   sampled.rois[rows], sampled.labels[rows],
                                   class_weights(scores, weighted), targets,
                                   torch.ones_like(targets))


def _per_roi(flag, samples: list, counts: Tensor, rois: Tensor) -> Tensor:
    flags = torch.tensor([flag(sample) for sample in samples])
    return flags.repeat_interleave(counts).to(rois.device)


class _InputOf:
    """Keeps what a layer is called with, for the time of a ``with``."""

    input: Tensor

    def __init__(self, layer: nn.Module) -> None:
        self._layer = layer

    def __enter__(self) -> _InputOf:
        self._hook = self._layer.register_forward_pre_hook(self._keep)
        return self

    def __exit__(self, *error) -> None:
        self._hook.remove()

    def _keep(self, layer: nn.Module, inputs: tuple) -> None:
        self.input, = inputs

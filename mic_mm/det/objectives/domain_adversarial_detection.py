# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn

from mic_mm.core import DomainBatch, EMATeacher, LabelledImages, Objective
from mic_mm.registry import MODELS

from ..models import SADARoIHead, SADARPNHead
from .detector_checks import check_levels, check_region_head
from .domain_heads import DomainHeads
from .domain_inputs import RegionFeatures
from .joint_pass import fixed_features, join_domains
from .observe import PLACES, RegionCalls, extract_levels, observed_regions, probe_levels
from .target_regions import target_regions

_NAME = 'DomainAdversarialDetection'


@MODELS.register_module()
class DomainAdversarialDetection(Objective):
    r"""Source supervision and domain classifiers, in one pass.

    The images of both domains go through backbone and neck as *one* batch.
    The detector's own losses are those of the source images; classifiers
    look at the features of both domains and, by gradient reversal, teach the
    detector features that do not tell the domain (SADA, Chen et al.,
    "Scale-Aware Domain Adaptive Faster R-CNN", IJCV 2021).  It takes the
    place of :class:`mic_mm.SourceSupervision`:

    .. code-block:: python

        objectives = dict(
            joint=dict(
                type='mic_mm.DomainAdversarialDetection',
                image_head=dict(gradient_scale=0.025),
                instance_head=dict(gradient_scale=0.1),
                consistency=dict(gradient_scale=0.1)))

    The image head works on any detector; the instance head and the
    consistency term need a RoI head.  RPN and RoI heads of mic_mm
    (``mic_mm.SADARPNHead``, ``mic_mm.SADARoIHead``) see both domains at once,
    as published; others see the source images only, and the instance head
    gets target regions drawn from the proposals.

    Logged are ``joint.source.<loss of the detector>``, ``joint.image.loss``,
    ``joint.instance.loss``, ``joint.consistency.loss``,
    ``joint.image.accuracy`` and ``joint.instance.accuracy`` (percent).
    Domain losses are computed in float32, also in mixed precision.  The
    classifiers are trained by the optimizer of the student, as
    ``objectives.joint.heads.…``.

    Args:
        image_head (dict, optional): Options of
            :class:`mic_mm.ImageDomainHead`. Defaults to None, off.
        instance_head (dict, optional): Options of
            :class:`mic_mm.InstanceDomainHead`. Defaults to None, off.
        consistency (dict, optional): ``dict(gradient_scale=0.1)``, the
            factor of the consistency term's gradient, on top of those of the
            heads; SADA and MIC use 0.1. Needs both heads. Defaults to None,
            off.
        features (str): Levels the image head sees: outputs of the
            ``'neck'`` or of the ``'backbone'``. Defaults to ``'neck'``, as
            in SADA. The consistency term needs ``'neck'``.
        **kwargs: See :class:`mic_mm.core.Objective`.

    Raises:
        ValueError: If the options do not fit together.
        TypeError: If the student lacks what they need.
    """

    needs_target = True
    order = 0

    def __init__(self,
                 image_head: Optional[dict] = None,
                 instance_head: Optional[dict] = None,
                 consistency: Optional[dict] = None,
                 features: str = 'neck',
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if image_head is None and instance_head is None:
            raise ValueError(
                f'{_NAME} has neither image_head nor instance_head. Give one, '
                'e.g. image_head=dict(gradient_scale=0.025), or use '
                'mic_mm.SourceSupervision.')
        if features not in PLACES:
            raise ValueError(f'{_NAME}: features={features!r} is unknown; '
                             f'choose one of {PLACES}.')
        self.image_head_cfg = image_head
        self.instance_head_cfg = instance_head
        self.features = features
        self.consistency_scale = self._scale_of(consistency)

    def _scale_of(self, consistency: Optional[dict]) -> Optional[float]:
        if consistency is None:
            return None
        if None in (self.image_head_cfg, self.instance_head_cfg):
            raise ValueError(
                f'{_NAME}: consistency compares both heads, but one of '
                'image_head and instance_head is None. Set consistency=None, '
                'or give both.')
        if self.features != 'neck':
            raise ValueError(
                f"{_NAME}: consistency needs features='neck', which is what "
                f'regions are read from, but it is {self.features!r}.')
        options = dict(consistency)
        scale = options.pop('gradient_scale', 0.1)
        if options or scale < 0:
            raise ValueError(
                f'{_NAME}: consistency={consistency} should be '
                'dict(gradient_scale=...) with a number of at least 0.')
        return scale

    def attach(self, student: nn.Module) -> None:
        """Build the classifiers for the levels and regions of ``student``."""
        self.heads = DomainHeads(
            self._build_image_head(student),
            self._build_instance_head(student), self.consistency_scale)

    def _build_image_head(self, student: nn.Module) -> Optional[nn.Module]:
        if self.image_head_cfg is None:
            return None
        check_levels(student, self.features)
        cfg = dict(dict(type='mic_mm.ImageDomainHead'), **self.image_head_cfg)
        if 'in_channels' not in cfg:
            levels = probe_levels(student, self.features)
            cfg['in_channels'] = [level.shape[1] for level in levels]
        return MODELS.build(cfg)

    def _build_instance_head(self, student: nn.Module) -> Optional[nn.Module]:
        if self.instance_head_cfg is None:
            return None
        check_region_head(student)
        defaults = dict(
            type='mic_mm.InstanceDomainHead',
            in_features=student.roi_head.bbox_head.fc_cls.in_features,
            num_levels=student.roi_head.bbox_roi_extractor.num_inputs)
        return MODELS.build(dict(defaults, **self.instance_head_cfg))

    def loss(self, batch, student, teacher):
        batch.record('source', batch.source)
        batch.record('target', batch.target)
        joint = join_domains(batch, self._target_boxes(batch, teacher))
        levels, features = extract_levels(student, joint.inputs,
                                          self.features)
        losses, regions = self._supervise(batch, student, joint, features)
        losses = {f'source.{key}': value for key, value in losses.items()}
        if not batch.is_ascent:
            losses.update(self._domain_losses(batch, levels, regions))
        return losses

    def _target_boxes(
            self, batch: DomainBatch,
            teacher: Optional[EMATeacher]) -> Optional[list[Tensor]]:
        """Boxes of the target images to draw regions from, if any."""
        return None

    def _supervise(
            self, batch: DomainBatch, student: nn.Module,
            joint: LabelledImages, features: tuple[Tensor, ...]
    ) -> tuple[dict, Optional[RegionFeatures]]:
        """The detector's losses, and the regions it classified."""
        count = len(batch.source)
        if self.instance_head_cfg is None:
            images = joint.inputs[:count], joint.data_samples[:count]
            with fixed_features(student, [lvl[:count] for lvl in features]):
                return student.loss(*images), None
        reads_domains = _reads_domains(student)
        part = slice(None) if reads_domains else slice(count)
        images = joint.inputs[part], joint.data_samples[part]
        with (fixed_features(student, [level[part] for level in features]),
              observed_regions(student.roi_head) as calls):
            losses = student.loss(*images)
        if not reads_domains:
            self._observe_target(batch, student, joint, features, calls)
        return losses, _regions(calls, count, student)

    def _observe_target(self, batch: DomainBatch, student: nn.Module,
                        joint: LabelledImages, features: tuple[Tensor, ...],
                        calls: RegionCalls) -> None:
        count = len(batch.source)
        target = [level[count:] for level in features]
        rois = target_regions(student, target, joint.data_samples[count:],
                              batch.draws.scoped(self.name))
        with observed_regions(student.roi_head) as of_target:
            student.roi_head._bbox_forward(target, rois)
        calls.rois.append(rois + rois.new_tensor([count, 0, 0, 0, 0]))
        calls.features.extend(of_target.features)

    def _domain_losses(self, batch: DomainBatch, levels: tuple[Tensor, ...],
                       regions: Optional[RegionFeatures]) -> dict:
        is_source = torch.cat([
            levels[0].new_ones(len(batch.source), dtype=torch.float),
            levels[0].new_zeros(len(batch.target), dtype=torch.float)
        ])
        with torch.autocast(levels[0].device.type, enabled=False):
            return self.heads([level.float() for level in levels], is_source,
                              regions, batch.draws.scoped(self.name))


def _reads_domains(student: nn.Module) -> bool:
    """Whether the heads leave target images out of their losses."""
    return isinstance(student.rpn_head, SADARPNHead) and isinstance(
        student.roi_head, SADARoIHead)


def _regions(calls: RegionCalls, count: int,
             student: nn.Module) -> RegionFeatures:
    rois = torch.cat(calls.rois).float()
    return RegionFeatures(
        rois=rois,
        features=torch.cat(calls.features).float(),
        is_source=(rois[:, 0] < count).float(),
        extractor=student.roi_head.bbox_roi_extractor)

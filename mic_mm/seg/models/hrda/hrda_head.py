# Copyright (c) mic_mm authors. All rights reserved.
"""The decoder of HRDA: one head for both scales, and their attention."""
from __future__ import annotations

from typing import Optional

import torch
from mmengine.model import BaseModule
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor

from mic_mm.registry import MODELS

from ...pixel_weights import PixelWeights, check_weightable, sampling
from .box import Box
from .scale_attention import default_scale_attention
from .scale_fusion import ScaleFeatures, ScaleLogits, check_cells, fuse_scales
from .windows import in_chunks


@MODELS.register_module()
class HRDAHead(BaseModule):
    r"""Predicts context and detail with one head and fuses them.

    .. math::
        L = (1 - \lambda_{HR} - \lambda_{LR})\, \mathrm{CE}(z)
        + \lambda_{HR}\, \mathrm{CE}(z_{HR})
        + \lambda_{LR}\, \mathrm{CE}(z_{LR})

    (HRDA, eq. 10); labels and weights of the detail's loss are cropped.

    Args:
        single_scale_head (dict): Config of the head for both scales, e.g. a
            ``mic_mm.DAFormerHead``, ``mic_mm.DLV2Head`` or any head of
            MMSegmentation with the loss of ``BaseDecodeHead``.
        scale_attention (dict, optional): Config of the head whose sigmoid is
            the attention. Defaults to None, made from ``single_scale_head``
            by :func:`default_scale_attention`.
        attention_channels (int): Channels of that default for a DAFormer
            head. Defaults to 256, as in HRDA.
        attention_classwise (bool): One attention for each class. Defaults to
            True.
        fixed_attention (float, optional): Use this number instead of a
            learned attention, HRDA's ablation. Defaults to None.
        hr_loss_weight (float): :math:`\lambda_{HR}`. Defaults to 0.1, as in
            HRDA.
        lr_loss_weight (float): :math:`\lambda_{LR}`. Defaults to 0; HRDA uses
            :math:`\lambda_{HR}` where the detail crop covers the whole image.
        lr_loss_unscaled (bool): Take the loss of the context as it is.
            Defaults to False: the published code takes it after the
            multiplication by one minus the attention.
        init_cfg (dict, optional): Defaults to None; the heads have their own.

    Raises:
        TypeError: If ``single_scale_head`` computes its loss in its own way.
        ValueError: If a weight or the fixed attention is out of range.
    """

    # The weight map is handed on to the single-scale head, which is checked.
    supports_pixel_weights = True

    def __init__(self,
                 single_scale_head: dict,
                 scale_attention: Optional[dict] = None,
                 attention_channels: int = 256,
                 attention_classwise: bool = True,
                 fixed_attention: Optional[float] = None,
                 hr_loss_weight: float = 0.1,
                 lr_loss_weight: float = 0.,
                 lr_loss_unscaled: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        _check_weights(hr_loss_weight, lr_loss_weight, fixed_attention)
        self.head = MODELS.build(single_scale_head)
        check_weightable(self.head)
        self.fixed_attention = fixed_attention
        self.scale_attention = None
        if fixed_attention is None:
            self.scale_attention = MODELS.build(
                scale_attention or default_scale_attention(
                    single_scale_head, attention_channels,
                    attention_classwise))
        self.hr_loss_weight = hr_loss_weight
        self.lr_loss_weight = lr_loss_weight
        self.lr_loss_unscaled = lr_loss_unscaled
        self.sampler = None
        # what the segmentor asks of a decode head
        self.align_corners = self.head.align_corners
        self.num_classes = self.head.num_classes
        self.out_channels = self.head.out_channels
        self.threshold = self.head.threshold
        self.ignore_index = self.head.ignore_index

    def forward(self, inputs: ScaleFeatures) -> ScaleLogits:
        """Predict context, then detail, then the attention, and fuse."""
        context = self.head(inputs.context)
        check_cells('low-resolution images', inputs.context_image,
                    context.shape[-2:])
        windows = in_chunks(self.head, inputs.detail, inputs.chunk)
        return fuse_scales(context, windows,
                           self._attention(inputs, context), inputs.boxes,
                           inputs.image, self.align_corners)

    def _attention(self, inputs: ScaleFeatures, context: Tensor) -> Tensor:
        if self.scale_attention is None:
            return torch.full_like(context[:, :1], self.fixed_attention)
        return self.scale_attention(inputs.context).sigmoid()

    def loss(self, inputs: ScaleFeatures, batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Losses of a training pass, with one detail crop."""
        return self.loss_by_feat(self.forward(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: ScaleLogits,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Losses of the fused prediction and of each scale.

        Only the loss of the fused prediction asks a sampler other than
        :class:`PixelWeights`.
        """
        share = 1 - self.hr_loss_weight - self.lr_loss_weight
        losses = self._losses(seg_logits.fused, batch_data_samples,
                              self.sampler, share)
        weights = self.sampler if isinstance(self.sampler,
                                             PixelWeights) else None
        if self.lr_loss_weight:
            context = (
                seg_logits.context
                if self.lr_loss_unscaled else seg_logits.scaled_context)
            losses.update(
                add_prefix(
                    self._losses(context, batch_data_samples, weights,
                                 self.lr_loss_weight), 'lr'))
        if self.hr_loss_weight:
            box, = seg_logits.boxes
            losses.update(
                add_prefix(
                    self._losses(
                        seg_logits.windows,
                        [_cropped(s, box) for s in batch_data_samples],
                        weights and weights.cropped(box),
                        self.hr_loss_weight), 'hr'))
        return losses

    def _losses(self, logits: Tensor, data_samples: list, sampler: object,
                share: float) -> dict[str, Tensor]:
        with sampling(self.head, sampler):
            losses = self.head.loss_by_feat(logits, data_samples)
        return {
            name: share * value if 'loss' in name else value
            for name, value in losses.items()
        }


def _cropped(sample: SegDataSample, box: Box) -> SegDataSample:
    return SegDataSample(
        gt_sem_seg=PixelData(data=box.crop(sample.gt_sem_seg.data)))


def _check_weights(hr: float, lr: float, attention: Optional[float]) -> None:
    if hr < 0 or lr < 0 or hr + lr > 1:
        raise ValueError(
            f'HRDAHead: hr_loss_weight={hr} and lr_loss_weight={lr} must not '
            'be negative nor exceed 1 together; HRDA uses 0.1 and 0.')
    if attention is not None and not 0 <= attention <= 1:
        raise ValueError(f'HRDAHead: fixed_attention={attention} lies outside '
                         '[0, 1].')

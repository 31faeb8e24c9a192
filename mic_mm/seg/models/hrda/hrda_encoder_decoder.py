# Copyright (c) mic_mm authors. All rights reserved.
"""The segmentor of HRDA: low-resolution context, high-resolution detail."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from torch import Tensor

from mic_mm.core.drawing import DrawingModule
from mic_mm.registry import MODELS

from .box import Box, Size
from .detail_crop import DetailCrop
from .hrda_output import select_output
from .scale_fusion import ScaleFeatures
from .windows import in_chunks, merge_windows, window_boxes


@MODELS.register_module()
class HRDAEncoderDecoder(DrawingModule, EncoderDecoder):
    """Multi-resolution segmentation (HRDA, Hoyer et al., 2022).

    Backbone and head see the whole image at low resolution and a part of it
    at high resolution: in training a random detail crop, for pseudo-labels
    and predictions overlapping windows over the whole image.

    .. code-block:: python

        model = dict(
            type='mic_mm.HRDAEncoderDecoder',
            hr_crop_size=(512, 512),
            backbone=dict(type='mic_mm.MixVisionTransformer', ...),
            decode_head=dict(
                type='mic_mm.HRDAHead',
                single_scale_head=dict(type='mic_mm.DAFormerHead', ...)),
            test_cfg=dict(mode='slide', batched_slide=True,
                          crop_size=(1024, 1024), stride=(512, 512)))

    ``test_cfg.batched_slide`` runs the windows of the outer slide in one
    pass; ``test_cfg.hrda_output`` (``'fused'``, ``'lr'``, ``'hr'``,
    ``'attention'``) says what is predicted.

    Args:
        scales (Sequence[float]): Scales of context and detail. Defaults to
            (0.5, 1); HRDA also tried 0.25, 0.75 and 1 for the context.
        hr_crop_size (tuple[int, int], optional): Height and width of the
            detail crop. Defaults to None, the whole image.
        feature_scale (float | str): Scale of the features that a feature
            distance compares, or ``'all'``. Defaults to None, the scale of
            the context.
        crop_coord_divisible (int): See :class:`DetailCrop`. Defaults to 8.
        crop_full_range (bool): See :class:`DetailCrop`. Defaults to False.
        hr_slide_inference (bool): Predict with windows of ``hr_crop_size``;
            if False the whole image is one. Defaults to True.
        hr_slide_overlapping (bool): Windows overlap by half. Defaults to
            True.
        blur_hr_crop (bool): Shrink and enlarge the detail, HRDA's ablation of
            the resolution. Defaults to False.
        window_batch (int, optional): Windows that go through the network at a
            time, where the result does not depend on it. Defaults to None,
            all at once.
        **kwargs: See MMSegmentation's ``EncoderDecoder``.

    Attributes:
        detail_box (Box | None): The detail crop of the last training pass.

    Raises:
        ValueError: If scales, feature scale, crop size or window batch do not
            make sense.
    """

    def __init__(self,
                 scales: Sequence[float] = (0.5, 1),
                 hr_crop_size: Optional[Size] = None,
                 feature_scale: Optional[float | str] = None,
                 crop_coord_divisible: int = 8,
                 crop_full_range: bool = False,
                 hr_slide_inference: bool = True,
                 hr_slide_overlapping: bool = True,
                 blur_hr_crop: bool = False,
                 window_batch: Optional[int] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(sorted(scales))
        self.feature_scale = (
            self.scales[0] if feature_scale is None else feature_scale)
        _check_options(self.scales, self.feature_scale, window_batch)
        self.detail_crop = hr_crop_size and DetailCrop(
            hr_crop_size, crop_coord_divisible, crop_full_range)
        self.hr_slide_inference = hr_slide_inference
        self.hr_slide_overlapping = hr_slide_overlapping
        self.blur_hr_crop = blur_hr_crop
        self.window_batch = window_batch
        self.detail_box: Optional[Box] = None

    def training_features(self, inputs: Tensor) -> ScaleFeatures:
        """Features of the context, then of a random detail crop."""
        size = tuple(inputs.shape[-2:])
        self.detail_box = (
            self.detail_crop.draw(size, self.draws)
            if self.detail_crop else Box.whole(size))
        return self._features(inputs, [self.detail_box])

    def window_features(self, inputs: Tensor) -> ScaleFeatures:
        """Features of the context, then of windows that cover the image."""
        size = tuple(inputs.shape[-2:])
        if not (self.detail_crop and self.hr_slide_inference):
            return self._features(inputs, [Box.whole(size)])
        window = self.detail_crop.size
        stride = tuple(
            side // (2 if self.hr_slide_overlapping else 1) for side in window)
        boxes = window_boxes(size, window, stride)
        return self._features(inputs, boxes, self.window_batch)

    def _features(self,
                  inputs: Tensor,
                  boxes: Sequence[Box],
                  chunk: Optional[int] = None) -> ScaleFeatures:
        small = self._at_scale(inputs, self.scales[0])
        context = self.extract_feat(small)
        detail = self._at_scale(inputs, self.scales[1], self.blur_hr_crop)
        windows = torch.cat([box.crop(detail) for box in boxes])
        return ScaleFeatures(
            context=context,
            detail=self._window_features(windows, chunk),
            boxes=boxes,
            image=tuple(inputs.shape[-2:]),
            context_image=tuple(small.shape[-2:]),
            chunk=chunk)

    def _window_features(self, windows: Tensor,
                         chunk: Optional[int]) -> Sequence[Tensor]:
        features = in_chunks(self.backbone, windows, chunk)
        return self.neck(features) if self.with_neck else features

    @torch.no_grad()
    def _at_scale(self, images: Tensor, scale: float,
                  blur: bool = False) -> Tensor:
        if blur:
            return self._resize(
                self._resize(images, scale_factor=0.5), size=images.shape[-2:])
        if scale == 1:
            return images
        return self._resize(images, scale_factor=scale)

    def _resize(self, maps: Tensor, **target) -> Tensor:
        return resize(
            maps, mode='bilinear', align_corners=self.align_corners, **target)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Losses with a random detail crop.

        Args:
            inputs (Tensor): Images, (B, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_sem_seg`` of the
                images' size.

        Returns:
            dict[str, Tensor]: ``decode.loss_ce`` of the fused prediction,
            ``decode.hr.loss_ce`` of the detail, both weighted, and their
            accuracies.
        """
        _check_labels(inputs, data_samples)
        features = self.training_features(inputs)
        losses = self._decode_head_forward_train(features, data_samples)
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(features.context,
                                                   data_samples))
        return losses

    def feature_passes(self, passes: Sequence,
                       labels: Tensor) -> list[tuple[object, Tensor]]:
        """The passes of ``feature_scale`` among those of a training pass.

        Args:
            passes (Sequence): What was seen of the backbone's two passes, of
                the context and of the detail crop.
            labels (Tensor): Labels of the images, (B, H, W).

        Returns:
            list[tuple]: Each pass with the labels of what it saw.
        """
        context, detail = passes
        detail_labels = self.detail_box.crop(labels)
        if self.feature_scale == 'all':
            return [(context, labels), (detail, detail_labels)]
        if self.feature_scale == self.scales[0]:
            return [(context, labels)]
        return [(detail, detail_labels)]

    def encode_decode(self,
                      inputs: Tensor,
                      batch_img_metas: Optional[list[dict]] = None,
                      output: str = 'fused') -> Tensor:
        """Logits of the size of ``inputs``, from windows over the image."""
        logits = self.decode_head(self.window_features(inputs))
        maps = select_output(logits, output, self.align_corners)
        return self._resize(maps, size=inputs.shape[-2:])

    def whole_inference(self, inputs: Tensor,
                        batch_img_metas: list[dict]) -> Tensor:
        """The output ``test_cfg.hrda_output`` for whole images."""
        return self.encode_decode(
            inputs, batch_img_metas,
            output=self.test_cfg.get('hrda_output', 'fused'))

    def slide_inference(self, inputs: Tensor,
                        batch_img_metas: list[dict]) -> Tensor:
        """Mean of the outputs for windows of ``test_cfg.crop_size``."""
        size = tuple(inputs.shape[-2:])
        boxes = window_boxes(size, self.test_cfg.crop_size,
                             self.test_cfg.stride)
        images = torch.cat([box.crop(inputs) for box in boxes])
        batched = self.test_cfg.get('batched_slide', False)
        windows = in_chunks(
            lambda chunk: self.whole_inference(chunk, batch_img_metas), images,
            None if batched else len(inputs))
        return merge_windows(windows, boxes, size)

    def _forward(self,
                 inputs: Tensor,
                 data_samples: Optional[list] = None) -> Tensor:
        return self.decode_head(self.window_features(inputs)).fused


def _check_options(scales: tuple[float, ...], feature_scale: float | str,
                   window_batch: Optional[int]) -> None:
    if len(scales) != 2 or scales[0] <= 0 or scales[1] != 1:
        raise ValueError(
            f'HRDAEncoderDecoder: scales={scales} must be two, of which the '
            'larger is 1, such as (0.5, 1).')
    if feature_scale not in (*scales, 'all'):
        raise ValueError(
            f'HRDAEncoderDecoder: feature_scale={feature_scale!r} is neither '
            f"one of scales={scales} nor 'all'.")
    if window_batch is not None and window_batch < 1:
        raise ValueError(f'HRDAEncoderDecoder: window_batch={window_batch} '
                         'must be positive, or None for all windows at once.')


def _check_labels(inputs: Tensor, data_samples: list) -> None:
    for sample in data_samples:
        size = tuple(sample.gt_sem_seg.shape[-2:])
        if size != tuple(inputs.shape[-2:]):
            raise ValueError(
                f'HRDAEncoderDecoder: the label of '
                f'{sample.get("img_path")} has {size} pixels, its image '
                f'{tuple(inputs.shape[-2:])}. Both must go through the same '
                'resizing, cropping and padding.')

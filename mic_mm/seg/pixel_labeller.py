# Copyright (c) mic_mm authors. All rights reserved.
"""Pseudo-labels and their weights for pixels."""
from __future__ import annotations

from typing import Optional

import torch
from mmengine.dist import all_reduce
from mmengine.structures import PixelData
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional

from mic_mm.core import LabelledImages, PseudoLabeller, PseudoLabels
from mic_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PixelLabeller(PseudoLabeller):
    r"""Labels each pixel with the teacher's most probable class.

    .. math::
        \hat y_i = \arg\max_c p_{i,c}, \qquad
        q = \frac{|\{i : \max_c p_{i,c} \ge \tau\}|}{B H W}

    The weight :math:`q` is one number for the whole batch: the share of
    confident pixels of all its images on all ranks, margins included (DACS;
    MIC, eq. 5).  Inside ``ignore_top``, ``ignore_bottom`` and where the field
    ``pseudo_label_valid`` of a data sample (:class:`PseudoLabelMargins`) is 0
    or the batch is padded beyond the image, the weight is 0.

    Args:
        threshold (float, optional): :math:`\tau`; None weights every pixel
            1. Defaults to 0.968, the value of DACS that DAFormer, HRDA and
            MIC kept.
        ignore_top (int): Rows without weight at the top of the crop.
            Defaults to 0. DAFormer uses 15 on 512² crops of Cityscapes,
            where the image is rectified.
        ignore_bottom (int): Rows without weight at the bottom. Defaults to
            0. DAFormer uses 120, the bonnet of the car.

    Raises:
        ValueError: If a margin is negative.
    """

    def __init__(self,
                 threshold: Optional[float] = 0.968,
                 ignore_top: int = 0,
                 ignore_bottom: int = 0) -> None:
        super().__init__(threshold)
        if ignore_top < 0 or ignore_bottom < 0:
            raise ValueError(
                f'model.labeller: ignore_top={ignore_top} and '
                f'ignore_bottom={ignore_bottom} must not be negative.')
        self.ignore_top = ignore_top
        self.ignore_bottom = ignore_bottom

    def predict(self, teacher: nn.Module, images: LabelledImages) -> Tensor:
        """Logits of the size of the images, (B, C, H, W)."""
        logits = teacher.encode_decode(
            images.inputs,
            [sample.metainfo for sample in images.data_samples])
        if logits.shape[2:] != images.inputs.shape[2:]:
            logits = resize(
                logits, size=images.inputs.shape[2:], mode='bilinear')
        return logits

    def label(self, prediction: Tensor, images: LabelledImages,
              threshold: Optional[float]) -> PseudoLabels:
        """Labels and weights of logits of the size of the images."""
        confidence, labels = most_probable(prediction)
        share = confident_share(confidence, threshold)
        weights = self._without_margins(
            share.expand(labels.shape), images.data_samples)
        return PseudoLabels(
            data_samples=[
                _pseudo_sample(*item)
                for item in zip(images.data_samples, labels, weights)
            ],
            metrics={
                'pseudo_confidence': confidence.mean(),
                'confident_share': share,
            })

    def _without_margins(self, weights: Tensor,
                         data_samples: list[SegDataSample]) -> Tensor:
        if self.ignore_top or self.ignore_bottom:
            weights = weights.clone()
            weights[:, :self.ignore_top] = 0
            height = weights.shape[1]
            weights[:, max(height - self.ignore_bottom, 0):] = 0
        size = tuple(weights.shape[1:])
        if any('pseudo_label_valid' in s or _image_size(s, size) != size
               for s in data_samples):
            weights = weights * torch.cat(
                [_valid_map(sample, size, weights) for sample in data_samples])
        return weights


def _image_size(sample: SegDataSample, batch: tuple) -> tuple:
    """Height and width of an image without the padding of its batch."""
    return tuple(map(min, sample.get('img_shape', batch), batch))


def _valid_map(sample: SegDataSample, size: tuple[int, int],
               like: Tensor) -> Tensor:
    """The map of trusted pixels, (1, H, W), at the size of the batch.

    Where the data preprocessor has padded the image, to the right and below,
    there is nothing to be labelled: the map is padded with 0.
    """
    if 'pseudo_label_valid' in sample:
        valid = sample.pseudo_label_valid.data
    else:
        valid = like.new_ones((1, *_image_size(sample, size)))
    height, width = valid.shape[-2:]
    if height > size[0] or width > size[1]:
        raise ValueError(
            f'pseudo_label_valid of {sample.get("img_path")} is '
            f'{height}x{width}, but its image is {size[0]}x{size[1]}. It has '
            'to go through the same resizing and cropping.')
    return functional.pad(valid, (0, size[1] - width, 0, size[0] - height))


def most_probable(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Probability and index of the most probable class of each pixel.

    Args:
        logits (Tensor): (B, C, H, W); with C = 1 the logit of class 1 of 2.

    Returns:
        tuple[Tensor, Tensor]: Probabilities (float32) and labels (int64),
        each (B, H, W).
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    confidence, labels = logits.softmax(dim=1).max(dim=1)
    return confidence, labels


def confident_share(confidence: Tensor,
                    threshold: Optional[float]) -> Tensor:
    """Share of entries of at least ``threshold``, over all ranks (0-dim).

    It is 1 without a threshold.
    """
    if threshold is None:
        return confidence.new_ones(())
    share = (confidence >= threshold).float().mean()
    all_reduce(share, op='mean')
    return share


def _pseudo_sample(sample: SegDataSample, label: Tensor,
                   weight: Tensor) -> SegDataSample:
    pseudo = SegDataSample(metainfo=sample.metainfo)
    pseudo.gt_sem_seg = PixelData(data=label[None])
    pseudo.loss_weight = PixelData(data=weight[None])
    return pseudo

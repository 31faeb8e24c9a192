# Copyright (c) mic_mm authors. All rights reserved.
"""The detector of the original, at the sizes of a recording."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mic_mm.core.scope import pin_scope
from mic_mm.registry import MODELS

from .golden import GoldenCase

_MODEL = (
    Path(__file__).parents[2] / 'configs' / '_base_' / 'models' /
    'sada-faster-rcnn_r50-caffe_fpn.py')
# setting of the original -> places in our config
_OVERRIDES = {
    'MODEL.RESNETS.STEM_OUT_CHANNELS': ['backbone.stem_channels'],
    'MODEL.RESNETS.WIDTH_PER_GROUP': ['backbone.base_channels'],
    'MODEL.BACKBONE.OUT_CHANNELS': [
        'neck.out_channels', 'rpn_head.in_channels', 'rpn_head.feat_channels',
        'roi_head.bbox_roi_extractor.out_channels',
        'roi_head.bbox_head.in_channels'
    ],
    'MODEL.ROI_BOX_HEAD.MLP_HEAD_DIM': ['roi_head.bbox_head.fc_out_channels'],
    'MODEL.RPN.PRE_NMS_TOP_N_TRAIN': ['train_cfg.rpn_proposal.nms_pre'],
    'MODEL.RPN.POST_NMS_TOP_N_TRAIN': ['train_cfg.rpn_proposal.nms_post'],
    'MODEL.RPN.FPN_POST_NMS_TOP_N_TRAIN': [
        'train_cfg.rpn_proposal.max_per_img'
    ],
    'MODEL.RPN.PRE_NMS_TOP_N_TEST': ['test_cfg.rpn.nms_pre'],
    'MODEL.RPN.POST_NMS_TOP_N_TEST': ['test_cfg.rpn.nms_post'],
    'MODEL.RPN.FPN_POST_NMS_TOP_N_TEST': ['test_cfg.rpn.max_per_img'],
    'MODEL.ROI_HEADS.DETECTIONS_PER_IMG': ['test_cfg.rcnn.max_per_img'],
    'MODEL.RPN.BATCH_SIZE_PER_IMAGE': ['train_cfg.rpn.sampler.num'],
    'MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE': ['train_cfg.rcnn.sampler.num'],
}


def published_detector() -> ConfigDict:
    """The ``model`` section of the config we ship."""
    return Config.fromfile(_MODEL).model


def slim_detector(case: GoldenCase) -> ConfigDict:
    """:func:`published_detector` at the widths and numbers of a recording.

    Args:
        case (GoldenCase): ``train_iterations``.
    """
    model = published_detector()
    overrides = case.config['overrides']
    for name, places in _OVERRIDES.items():
        for place in places if name in overrides else ():
            *path, last = place.split('.')
            section = model
            for key in path:
                section = section[key]
            section[last] = overrides[name]
    first = overrides['MODEL.RESNETS.RES2_OUT_CHANNELS']
    model.neck.in_channels = [first * 2**stage for stage in range(4)]
    model.backbone.init_cfg = None
    return model


def build_detector(config: dict) -> nn.Module:
    """Build a detector outside of a runner."""
    return MODELS.build(pin_scope(config, 'mmdet'))


def network_input(case: GoldenCase, name: str, sizes_hw) -> Tensor:
    """Recorded images, minus the mean; 0 in the padding."""
    images = torch.from_numpy(case[name]).float()
    mean = torch.tensor(case.config['mean_bgr']).view(3, 1, 1)
    result = torch.zeros_like(images)
    for padded, pixels, (height, width) in zip(result, images, sizes_hw):
        padded[:, :height, :width] = pixels[:, :height, :width] - mean
    return result


def image(size_hw: Iterable[int],
          boxes=None,
          labels=None,
          **fields) -> DetDataSample:
    """A data sample with the recorded ground truth of an image.

    Args:
        size_hw (Iterable[int]): Height and width, without padding.
        boxes (array-like, optional): ``(N, 4)``.
        labels (array-like, optional): As recorded, from 1. Defaults to 1.
        **fields: Meta information.
    """
    height, width = (int(side) for side in size_hw)
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(height, width), scale_factor=(1., 1.), **fields))
    if boxes is not None:
        boxes = torch.as_tensor(boxes)
        labels = torch.ones(len(boxes)) if labels is None else labels
        sample.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.as_tensor(labels).long() - 1)
    return sample


def keys_of(chosen: Iterable[Iterable[int]], width: int) -> Tensor:
    """Keys with which a ``KeySampler`` samples exactly ``chosen``."""
    rows = [torch.ones(width) for _ in chosen]
    for row, indices in zip(rows, chosen):
        row[torch.as_tensor(indices)] = 0.
    return torch.stack(rows)


def background_last(values: Tensor) -> Tensor:
    """Move the first class, the original's background, to the end."""
    return torch.cat([values[..., 1:], values[..., :1]], -1)


def weights_of(case: GoldenCase, prefix: str) -> dict[str, Tensor]:
    """Recorded weights, under the names of the original."""
    return {
        name.removeprefix(prefix): torch.from_numpy(case[name])
        for name in case.names(f'{prefix}*')
    }

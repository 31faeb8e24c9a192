# Copyright (c) mic_mm authors. All rights reserved.
"""The decoder of DAFormer."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import Tensor, nn

from mic_mm.registry import MODELS


@MODELS.register_module()
class DAFormerHead(BaseDecodeHead):
    """Context-aware multi-level feature fusion (DAFormer, Hoyer et al., 2022).

    The features of every stage are embedded to the same number of channels,
    upsampled to the finest stage (1/4 of the image), stacked, and fused by one
    layer that sees context (sec. 3.2):

    .. code-block:: python

        decode_head = dict(
            type='mic_mm.DAFormerHead',
            in_channels=[64, 128, 320, 512],
            in_index=[0, 1, 2, 3],
            channels=256,
            num_classes=19,
            norm_cfg=dict(type='BN', requires_grad=True))

    The other decoders of DAFormer's Table 7 are ``fusion=``

    * ``dict(type='mic_mm.ConvFusion')``: SegFormer's, at 256 channels;
    * ``dict(type='mic_mm.ASPPFusion', separable=False)``;
    * ``dict(type='mic_mm.ISAFusion')``;

    and context at the last stage only, ``neck=dict(type='mic_mm.ASPPFusion'),
    fusion=dict(type='mic_mm.ConvFusion')``.

    Args:
        in_channels (Sequence[int]): Channels of the stages.
        in_index (Sequence[int]): Indices of the stages, from fine to coarse.
        channels (int): Channels of the fused features.
        embed_channels (int, optional): Channels of each embedded stage.
            Defaults to None, which means ``channels`` (both 256 in DAFormer).
        embed (dict, optional): Config of the embeddings. Defaults to None,
            ``dict(type='mic_mm.LinearEmbedding')``.
        neck (dict, optional): Config of the embedding of the last stage.
            Defaults to None, the same as the others.
        fusion (dict, optional): Config of the fusion. Defaults to None,
            ``dict(type='mic_mm.ASPPFusion')``.
        **kwargs: See MMSegmentation's ``BaseDecodeHead``; its dropout of 0.1
            and its initialization are DAFormer's.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 in_index: Sequence[int],
                 channels: int,
                 embed_channels: Optional[int] = None,
                 embed: Optional[dict] = None,
                 neck: Optional[dict] = None,
                 fusion: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            in_channels=in_channels,
            in_index=in_index,
            channels=channels,
            input_transform='multiple_select',
            **kwargs)
        embed = embed or dict(type='mic_mm.LinearEmbedding')
        embed_channels = embed_channels or channels
        last = len(in_index) - 1
        self.embed_layers = nn.ModuleList([
            self._layer(neck if neck and stage == last else embed, width,
                        embed_channels)
            for stage, width in enumerate(in_channels)
        ])
        self.fuse_layer = self._layer(
            fusion or dict(type='mic_mm.ASPPFusion'),
            embed_channels * len(in_channels), channels)

    def _layer(self, cfg: dict, in_channels: int, channels: int) -> nn.Module:
        return MODELS.build(
            cfg,
            default_args=dict(
                in_channels=in_channels,
                channels=channels,
                norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg,
                align_corners=self.align_corners))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, classes, H/4, W/4) of the features of all stages."""
        stages = self._transform_inputs(inputs)
        size = stages[0].shape[2:]
        embedded = [
            self._resize(layer(stage), size)
            for layer, stage in zip(self.embed_layers, stages)
        ]
        return self.cls_seg(self.fuse_layer(torch.cat(embedded, dim=1)))

    def _resize(self, features: Tensor, size: torch.Size) -> Tensor:
        if features.shape[2:] == size:
            return features
        return resize(
            features,
            size=size,
            mode='bilinear',
            align_corners=self.align_corners)

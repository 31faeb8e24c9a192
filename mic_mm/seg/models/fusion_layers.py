# Copyright (c) mic_mm authors. All rights reserved.
"""Layers that embed or fuse the features in the DAFormer head.

Each takes ``in_channels`` and ``channels``, and a map (B, C, H, W) to a map
of the same height and width.  The names of their parameters are those of the
published checkpoints.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import ISAHead
from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.decode_heads.sep_aspp_head import DepthwiseSeparableASPPModule
from mmseg.models.utils import resize
from torch import Tensor, nn

from mic_mm.registry import MODELS


@MODELS.register_module()
class LinearEmbedding(nn.Module):
    """One linear map, applied to each pixel (SegFormer, sec. 3.2).

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        **kwargs: Normalisation and activation of the head, which a linear
            embedding does without.
    """

    def __init__(self, in_channels: int, channels: int, **kwargs) -> None:
        super().__init__()
        self.proj = nn.Linear(in_channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        return self.proj(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@MODELS.register_module()
class ConvFusion(ConvModule):
    """Convolution, norm and activation.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        kernel_size (int): Odd size of the kernel. Defaults to 1, as in
            SegFormer.
        norm_cfg (dict, optional): Defaults to None.
        act_cfg (dict, optional): Defaults to None.
        **kwargs: Settings of the head that do not matter here.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 kernel_size: int = 1,
                 norm_cfg: Optional[dict] = None,
                 act_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            in_channels,
            channels,
            kernel_size,
            padding=kernel_size // 2,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg)


@MODELS.register_module()
class ASPPFusion(nn.Module):
    """Atrous spatial pyramid pooling and a 3×3 bottleneck.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of each branch and of the output.
        separable (bool): Depthwise separable convolutions in the dilated
            branches. Defaults to True, DAFormer's context-aware fusion.
        dilations (Sequence[int]): Dilation of each branch; 1 is a 1×1
            convolution. Defaults to (1, 6, 12, 18), as in DeepLabV3+.
        pool (bool): Add a branch of global average pooling. Defaults to
            False: DAFormer found it of no use.
        norm_cfg (dict, optional): Defaults to None.
        act_cfg (dict, optional): Defaults to None.
        align_corners (bool): For the pooled branch. Defaults to False.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 separable: bool = True,
                 dilations: Sequence[int] = (1, 6, 12, 18),
                 pool: bool = False,
                 norm_cfg: Optional[dict] = None,
                 act_cfg: Optional[dict] = None,
                 align_corners: bool = False) -> None:
        super().__init__()
        self.align_corners = align_corners
        layers = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.image_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            ConvModule(in_channels, channels, 1, **layers)) if pool else None
        pyramid = DepthwiseSeparableASPPModule if separable else ASPPModule
        self.aspp_modules = pyramid(
            dilations=tuple(dilations),
            in_channels=in_channels,
            channels=channels,
            conv_cfg=None,
            **layers)
        self.bottleneck = ConvModule(
            (len(dilations) + pool) * channels,
            channels,
            3,
            padding=1,
            **layers)

    def forward(self, features: Tensor) -> Tensor:
        branches = self.aspp_modules(features)
        if self.image_pool is not None:
            pooled = resize(
                self.image_pool(features),
                size=features.shape[2:],
                mode='bilinear',
                align_corners=self.align_corners)
            branches = [pooled, *branches]
        return self.bottleneck(torch.cat(branches, dim=1))


@MODELS.register_module()
class ISAFusion(ISAHead):
    """Interlaced sparse self-attention, MMSegmentation's head without output.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        isa_channels (int): Channels of keys and queries. Defaults to 256, as
            in DAFormer's comparison of decoders (Tab. 7).
        down_factor (tuple[int, int]): Size of a local group. Defaults to
            (8, 8), as in ISANet.
        norm_cfg (dict, optional): Defaults to None.
        act_cfg (dict, optional): Defaults to None.
        **kwargs: Settings of the head that do not matter here.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 isa_channels: int = 256,
                 down_factor: tuple[int, int] = (8, 8),
                 norm_cfg: Optional[dict] = None,
                 act_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            isa_channels=isa_channels,
            down_factor=down_factor,
            in_channels=in_channels,
            channels=channels,
            in_index=0,
            num_classes=channels,
            dropout_ratio=0.,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            init_cfg=None)
        self.conv_seg = nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        return super().forward([features])

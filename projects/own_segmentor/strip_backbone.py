# Copyright (c) mic_mm authors. All rights reserved.
"""A backbone that is in no library."""
from __future__ import annotations

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


class StripBlock(BaseModule):
    """Mixes along rows, along columns, then channels; adds its input.

    Args:
        channels (int): Number of channels.
        length (int): Length of the strips in pixels, odd. Defaults to 7.
    """

    def __init__(self, channels: int, length: int = 7) -> None:
        super().__init__()
        kwargs = dict(groups=channels, norm_cfg=None, act_cfg=None)
        half = length // 2
        self.rows = ConvModule(
            channels, channels, (1, length), padding=(0, half), **kwargs)
        self.columns = ConvModule(
            channels, channels, (length, 1), padding=(half, 0), **kwargs)
        self.mix = ConvModule(channels, channels, 1, norm_cfg=dict(type='BN'))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(self.columns(self.rows(x)))


@MODELS.register_module()
class StripBackbone(BaseModule):
    """Features of half the resolution, from strips of pixels.

    Args:
        in_channels (int): Channels of the input. Defaults to 3.
        channels (int): Channels of the features. Defaults to 48.
        num_blocks (int): Number of blocks. Defaults to 4.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 in_channels: int = 3,
                 channels: int = 48,
                 num_blocks: int = 4,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stem = ConvModule(
            in_channels,
            channels,
            3,
            stride=2,
            padding=1,
            norm_cfg=dict(type='BN'))
        self.blocks = nn.Sequential(
            *(StripBlock(channels) for _ in range(num_blocks)))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Features of shape (B, channels, H / 2, W / 2), in a tuple."""
        return (self.blocks(self.stem(x)), )

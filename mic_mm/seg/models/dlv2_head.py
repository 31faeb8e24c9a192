# Copyright (c) mic_mm authors. All rights reserved.
"""The decoder of DeepLabV2."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor

from mic_mm.registry import MODELS


@MODELS.register_module()
class DLV2Head(BaseDecodeHead):
    """A sum of dilated 3×3 convolutions to the classes (DeepLabV2, sec. 3.2).

    There is no normalisation, activation or dropout.

    Args:
        in_channels (int): Channels of the features.
        dilations (Sequence[int]): Dilation of each convolution. Defaults to
            (6, 12), the convention of the work on domain adaptation;
            DeepLabV2 itself has (6, 12, 18, 24).
        init_cfg (dict, optional): Defaults to a normal distribution of
            standard deviation 0.01.
        **kwargs: See MMSegmentation's ``BaseDecodeHead``.
    """

    def __init__(self,
                 in_channels: int,
                 dilations: Sequence[int] = (6, 12),
                 init_cfg: Optional[dict] = dict(
                     type='Normal',
                     std=0.01,
                     override=dict(name='aspp_modules')),
                 **kwargs) -> None:
        super().__init__(
            in_channels=in_channels,
            channels=1,
            dropout_ratio=0.,
            norm_cfg=None,
            init_cfg=init_cfg,
            **kwargs)
        del self.conv_seg
        self.aspp_modules = ASPPModule(
            tuple(dilations),
            self.in_channels,
            self.out_channels,
            conv_cfg=None,
            norm_cfg=None,
            act_cfg=None)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits (B, classes, H, W) at the resolution of the features."""
        return sum(self.aspp_modules(self._transform_inputs(inputs)))

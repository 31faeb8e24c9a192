# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from mic_mm.registry import MODELS


@MODELS.register_module()
class PixelDiscriminator(nn.Module):
    """Tells the domain of a segmentation map, patch by patch.

    Five convolutions of 4x4 with stride 2 and leaky rectifiers between them
    (AdaptSegNet, Tsai et al. 2018, sec. 4.3): one logit for each 32x32 pixels.

    Args:
        in_channels (int): Number of classes. Defaults to 19, Cityscapes.
        channels (int): Width of the first layer, doubled by each of the next
            three. Defaults to 64, as in AdaptSegNet.
        negative_slope (float): Of the leaky rectifiers. Defaults to 0.2, as
            in AdaptSegNet.
    """

    def __init__(self,
                 in_channels: int = 19,
                 channels: int = 64,
                 negative_slope: float = 0.2) -> None:
        super().__init__()
        widths = [in_channels, *(channels * 2**i for i in range(4)), 1]
        names = ['conv1', 'conv2', 'conv3', 'conv4', 'classifier']
        for name, width, next_width in zip(names, widths, widths[1:]):
            self.add_module(
                name,
                nn.Conv2d(width, next_width, 4, stride=2, padding=1))
        self.negative_slope = negative_slope

    def forward(self, probabilities: Tensor) -> Tensor:
        """Domain logits, (B, 1, H // 32, W // 32)."""
        x = probabilities
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.leaky_relu(conv(x), self.negative_slope)
        return self.classifier(x)

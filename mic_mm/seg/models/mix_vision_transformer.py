# Copyright (c) mic_mm authors. All rights reserved.
"""MMSegmentation's Mix Transformer with the normalisation of SegFormer."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mmseg.models.backbones import MixVisionTransformer as _MixTransformer
from torch import nn

from mic_mm.registry import MODELS


@MODELS.register_module()
class MixVisionTransformer(_MixTransformer):
    r"""The Mix Transformer (MiT) of SegFormer, DAFormer, HRDA and MIC.

    It is MMSegmentation's, weights and their names included, but for two
    things:

    * SegFormer normalises with :math:`\epsilon = 10^{-6}` except after the
      patch embedding and after the spatial reduction of the keys, where it
      uses :math:`10^{-5}`.  MMSegmentation uses :math:`10^{-6}` everywhere,
      which changes the features of published weights by some 1e-2.
    * Attention is computed without keeping the attention maps, which nobody
      reads. The result agrees up to rounding.

    Args:
        patch_norm_eps (float): Epsilon of the norm after the patch embedding.
            Defaults to 1e-5, as in SegFormer.
        reduction_norm_eps (float): Epsilon of the norm after the spatial
            reduction. Defaults to 1e-5, as in SegFormer.
        fused_attention (bool): Use PyTorch's fused attention. Defaults to
            True; the maps of MiT take 16 MiB per image and layer in the first
            stage at 512².
        **kwargs: See MMSegmentation's ``MixVisionTransformer``, e.g.
            ``embed_dims=64, num_layers=[3, 6, 40, 3],
            num_heads=[1, 2, 5, 8], sr_ratios=[8, 4, 2, 1],
            drop_path_rate=0.1`` for MiT-B5.
    """

    def __init__(self,
                 patch_norm_eps: float = 1e-5,
                 reduction_norm_eps: float = 1e-5,
                 fused_attention: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.fused_attention = fused_attention
        for patch_embed, blocks, _ in self.layers:
            patch_embed.norm.eps = patch_norm_eps
            for block in blocks:
                if block.attn.sr_ratio > 1:
                    block.attn.norm.eps = reduction_norm_eps
                block.attn.attn.register_forward_pre_hook(
                    self._choose_attention, with_kwargs=True)

    def _choose_attention(self, module: nn.Module, args: tuple,
                          kwargs: dict) -> tuple:
        if self.fused_attention:
            kwargs = {**kwargs, 'need_weights': False}
        return args, kwargs

    @contextmanager
    def as_in_library(self) -> Iterator[None]:
        """Keep the attention maps inside the context, as MMSegmentation."""
        fused, self.fused_attention = self.fused_attention, False
        try:
            yield
        finally:
            self.fused_attention = fused

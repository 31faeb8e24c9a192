# Copyright (c) mic_mm authors. All rights reserved.
"""MMSegmentation's Mix Transformer with the normalisation of SegFormer."""
from __future__ import annotations

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
        for patch_embed, blocks, _ in self.layers:
            patch_embed.norm.eps = patch_norm_eps
            for block in blocks:
                if block.attn.sr_ratio > 1:
                    block.attn.norm.eps = reduction_norm_eps
                if fused_attention:
                    _drop_attention_map(block.attn.attn)


def _drop_attention_map(attention: nn.MultiheadAttention) -> None:
    attention.register_forward_pre_hook(_without_map, with_kwargs=True)


def _without_map(module: nn.Module, args: tuple, kwargs: dict) -> tuple:
    return args, {**kwargs, 'need_weights': False}

# Copyright (c) mic_mm authors. All rights reserved.
"""Networks of MIC's segmentation experiments that MMSegmentation lacks."""
from .daformer_head import DAFormerHead
from .dlv2_head import DLV2Head
from .fusion_layers import ASPPFusion, ConvFusion, ISAFusion, LinearEmbedding
from .hrda import HRDAEncoderDecoder, HRDAHead
from .mix_vision_transformer import MixVisionTransformer

__all__ = [
    'ASPPFusion', 'ConvFusion', 'DAFormerHead', 'DLV2Head',
    'HRDAEncoderDecoder', 'HRDAHead', 'ISAFusion', 'LinearEmbedding',
    'MixVisionTransformer'
]

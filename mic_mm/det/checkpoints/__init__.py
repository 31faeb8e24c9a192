# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints of the original SADA and MIC(SADA)."""
from .sada_weights import convert_domain_heads, convert_weights, select_network

__all__ = ['convert_domain_heads', 'convert_weights', 'select_network']

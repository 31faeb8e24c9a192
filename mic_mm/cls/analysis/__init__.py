# Copyright (c) mic_mm authors. All rights reserved.
"""How far the domains are apart for a trained classifier."""
from .a_distance import a_distance
from .domain_features import collect_features
from .feature_figure import draw_domains, embed

__all__ = ['a_distance', 'collect_features', 'draw_domains', 'embed']

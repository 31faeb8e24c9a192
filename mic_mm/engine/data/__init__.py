# Copyright (c) mic_mm authors. All rights reserved.
"""Source and target images in pairs."""
from .domain_pair_dataset import DomainPairDataset
from .domain_pair_sampler import DomainPairSampler
from .pair_index import PairIndex

__all__ = ['DomainPairDataset', 'DomainPairSampler', 'PairIndex']

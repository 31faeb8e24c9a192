# Copyright (c) mic_mm authors. All rights reserved.
"""Small datasets on disk, in the layout each library reads."""
from dataclasses import dataclass

import pytest
from mmengine.registry import DefaultScope

from mic_mm.registry import DATASETS
from mic_mm.testing.datasets import write_domain


@dataclass
class Library:
    """How one library reads a domain, and what it calls its label."""

    task: str
    scope: str
    label_field: str

    def domain(self, root, name, num_images=4):
        """Write a domain to disk and return its dataset config."""
        return write_domain(self.task, root / self.scope / name, num_images)

    def build(self, **cfg):
        """Build a paired dataset in the default scope of the library."""
        with DefaultScope.overwrite_default_scope(self.scope):
            return DATASETS.build(dict(type='mic_mm.DomainPairDataset', **cfg))


LIBRARIES = {
    'seg': Library('seg', 'mmseg', 'gt_sem_seg'),
    'cls': Library('cls', 'mmpretrain', 'gt_label'),
    'det': Library('det', 'mmdet', 'gt_instances'),
}


@pytest.fixture(params=list(LIBRARIES))
def library(request):
    library = LIBRARIES[request.param]
    pytest.importorskip(library.scope)
    return library

# Copyright (c) mic_mm authors. All rights reserved.
"""What training will see, before it is started."""
from .browse_page import browse_page
from .mask_sweep import MaskSweep, sweep_grid, sweep_page
from .replay import Recording, TrainingReplay
from .samples import Sample, browse_grid, legend_of, record, samples_of

__all__ = [
    'MaskSweep', 'Recording', 'Sample', 'TrainingReplay', 'browse_grid',
    'browse_page', 'legend_of', 'record', 'samples_of', 'sweep_grid',
    'sweep_page'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""What is written to a checkpoint of a run, and how."""
from .atomic_file import AtomicLocalBackend, write_atomically
from .late_removals import LateRemovals
from .plain_state import from_plain, to_plain

__all__ = [
    'AtomicLocalBackend', 'LateRemovals', 'from_plain', 'to_plain',
    'write_atomically'
]

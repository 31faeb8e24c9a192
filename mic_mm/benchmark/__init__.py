# Copyright (c) mic_mm authors. All rights reserved.
"""How fast a training iteration is, and how much of it is needed."""
from .iteration_cost import largest_forward, measure, record, run_all, run_as_in_library
from .library_passes import as_in_library
from .network_passes import ModulePass, NetworkPass, StudentPass, TeacherPass
from .record_passes import record_passes
from .saved_activations import SavedActivations
from .stages import StageClock, time_stages
from .timing import Seconds, synchronizer, take_turns
from .workload import Workload, build_workload, without_pretrained

__all__ = [
    'ModulePass', 'NetworkPass', 'SavedActivations', 'Seconds', 'StageClock',
    'StudentPass', 'TeacherPass', 'Workload', 'as_in_library',
    'build_workload', 'largest_forward', 'measure', 'record', 'record_passes', 'run_all',
    'run_as_in_library', 'synchronizer', 'take_turns', 'time_stages',
    'without_pretrained'
]

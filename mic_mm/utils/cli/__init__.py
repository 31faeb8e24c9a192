# Copyright (c) mic_mm authors. All rights reserved.
"""What the command-line tools share.

Mistakes on the command line raise a :class:`UsageError` that says what to do,
before a runner exists and anything is written.
"""
from .arguments import (
    LAUNCHERS,
    ConfigOptions,
    add_branch_argument,
    add_config_arguments,
    add_run_arguments,
    add_size_argument,
    positive_number,
)
from .checkpoints import check_file, set_checkpoint, set_resume
from .config_file import load_config, read_config
from .errors import UsageError, usage_errors
from .machine import (
    check_device,
    check_launcher,
    check_mixed_precision,
    enable_amp,
    has_accelerator,
    process_group,
)
from .run import build_runner

__all__ = [
    'LAUNCHERS', 'ConfigOptions', 'UsageError', 'add_branch_argument',
    'add_config_arguments', 'add_run_arguments', 'add_size_argument',
    'build_runner',
    'check_device', 'check_file', 'check_launcher', 'check_mixed_precision', 'enable_amp',
    'has_accelerator', 'load_config', 'positive_number', 'process_group',
    'read_config', 'set_checkpoint', 'set_resume', 'usage_errors'
]

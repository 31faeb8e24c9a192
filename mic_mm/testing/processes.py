# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import tempfile
from collections.abc import Callable

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def run_processes(function: Callable, world_size: int, *args) -> None:
    """Run a function in a group of CPU processes (gloo).

    An exception in any of them is raised here with its traceback; MMEngine's
    ``MultiProcessTestCase`` turns it into a skipped test.

    Args:
        function (Callable): Called as ``function(rank, *args)``; defined at
            the top level of a module, since it is pickled.
        world_size (int): Number of processes.
        *args: Further arguments, picklable.
    """
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(
            _run_in_group,
            args=(world_size, f'file://{folder}/group', function, args),
            nprocs=world_size)


def _run_in_group(rank, world_size, init_method, function, args) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        'gloo', init_method=init_method, rank=rank, world_size=world_size)
    try:
        function(rank, *args)
    finally:
        dist.destroy_process_group()

# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
from collections.abc import Callable
from multiprocessing.connection import wait

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

# Seconds in which the other processes of a group may end by themselves.
_GRACE = 2.


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
        _preload()
        mp.start_processes(
            _run_in_group,
            args=(world_size, f'file://{folder}/group', function, args),
            nprocs=world_size,
            start_method='forkserver')


def results_of_processes(function: Callable, world_size: int, *args) -> list:
    """What a function returns in each process of a group, by rank.

    Args:
        function (Callable): See :func:`run_processes`; returns tensors and
            plain values.
        world_size (int): Number of processes.
        *args: Further arguments, picklable.
    """
    with tempfile.TemporaryDirectory() as folder:
        run_processes(_save_result, world_size, folder, function, args)
        return [
            torch.load(f'{folder}/{rank}.pth', weights_only=True)
            for rank in range(world_size)
        ]


def _save_result(rank: int, folder: str, function: Callable, args) -> None:
    torch.save(function(rank, *args), f'{folder}/{rank}.pth')


def exit_code_of(function: Callable, *args) -> int:
    """Run a function in a process that may kill itself.

    Args:
        function (Callable): Defined at the top level of a module.
        *args: Its arguments, picklable.

    Returns:
        int: 0, or minus the signal that ended the process.
    """
    context = _preload()
    process = context.Process(target=_run_alone, args=(function, args))
    process.start()
    process.join()
    return process.exitcode


def exit_codes_of_launched(function: Callable, world_size: int, *args) -> list[int]:
    """Run a function in processes that a launcher seems to have started.

    Each has the environment variables of ``torchrun``.  When one dies, the
    others are ended, as ``torchrun`` does.

    Args:
        function (Callable): Defined at the top level of a module.
        world_size (int): Number of processes.
        *args: Arguments of the function, picklable.

    Returns:
        list[int]: See :func:`exit_code_of`, by rank.
    """
    context = _preload()
    port = _free_port()
    processes = [
        context.Process(target=_run_launched, args=(rank, world_size, port, function, args))
        for rank in range(world_size)
    ]
    for process in processes:
        process.start()
    running = list(processes)
    while running:
        wait([process.sentinel for process in running])
        if any(process.exitcode for process in processes):
            for process in running:
                process.join(_GRACE)
                process.kill()
        running = [process for process in processes if process.exitcode is None]
    return [process.exitcode for process in processes]


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


def _run_launched(rank, world_size, port, function, args) -> None:
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(world_size),
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port))
    _run_alone(function, args)


def _preload() -> multiprocessing.context.ForkServerContext:
    """Processes are forked from one that has imported all and used nothing.

    So they start within milliseconds, and share their memory.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mic_mm.engine', 'mic_mm.tasks'])
    return context


def _run_alone(function: Callable, args: tuple) -> None:
    torch.set_num_threads(1)
    function(*args)


def _run_in_group(rank, world_size, init_method, function, args) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        'gloo', init_method=init_method, rank=rank, world_size=world_size)
    try:
        function(rank, *args)
    finally:
        dist.destroy_process_group()

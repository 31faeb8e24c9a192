# Copyright (c) mic_mm authors. All rights reserved.
"""Errors of a run that say what to do are shown without a traceback."""
from __future__ import annotations

import argparse
import logging
import re
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from mmengine.logging import MMLogger
from mmengine.registry import build_functions

import mic_mm

_OWN = Path(mic_mm.__file__).parent
_REGISTRY = Path(build_functions.__file__)
# As a shell has it: 128 + the number of the signal.
_INTERRUPTED = 128 + signal.SIGINT
_DELIBERATE = (ValueError, TypeError, OSError, ImportError)
# What a class says to arguments of its config that it does not know, or lacks.
_ARGUMENTS = re.compile(r'__init__\(\) (got an unexpected keyword|missing)')
_OF_WORKER = 'in DataLoader worker process'
# Of a traceback as text: a file, its line, and marks below the line.
_FRAME = re.compile(
    r'^  File "(?P<file>.*)", line \d+, in .*\n    (?P<line>.*)\n(?:    [ ^~]+\n)?',
    re.MULTILINE)


@contextmanager
def told_errors(parser: argparse.ArgumentParser,
                interrupted: str = 'interrupted') -> Iterator[None]:
    """Show what a run refuses as a usage error (exit code 2).

    What mic_mm raises names the value, its place in the config and the
    remedy; above that line a traceback is in the way.  It goes to the log of
    the run.  All other errors, those of the model of a user above all, keep
    their traceback.  Ctrl-C ends without one, too.

    Args:
        parser (argparse.ArgumentParser): Tells them.
        interrupted (str): What is said after Ctrl-C. Defaults to
            ``'interrupted'``.
    """
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        # MMEngine makes a SyntaxError of one while it formats a config.
        if KeyboardInterrupt in (type(error), type(error.__context__)):
            parser.exit(_INTERRUPTED, f'\n{parser.prog}: {interrupted}\n')
        message = told(error)
        if message is None:
            raise
        log = _write_to_log(error)
        if log is not None:
            message += f'\n(traceback: {log})'
        parser.exit(2, f'{parser.prog}: error: {message}\n')


def told(error: BaseException) -> Optional[str]:
    """The message of an error that speaks for itself, or None.

    That is one that a ``raise`` statement of mic_mm made, also in a process
    that loads data, or a type or an argument in the config that does not
    exist, found by MMEngine's registry.
    """
    if not isinstance(error, (*_DELIBERATE, KeyError)) or not error.args:
        return None
    message = str(error.args[0])
    if message.startswith('Caught ') and _OF_WORKER in message:
        return _told_by_worker(message)
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return None
    last = frames[-1]
    if isinstance(error, KeyError):
        return message if Path(last.filename) == _REGISTRY else None
    if isinstance(error, TypeError) and _ARGUMENTS.search(message):
        is_built = any(Path(frame.filename) == _REGISTRY for frame in frames)
        return message if is_built else None
    is_ours = isinstance(error, _DELIBERATE) and _is_raised(
        last.filename, last.line or '')
    # Errors of the system have their message behind a number.
    return (message if len(error.args) == 1 else str(error)) if is_ours else None


def _is_raised(filename: str, line: str) -> bool:
    return Path(filename).is_relative_to(_OWN) and line.startswith('raise ')


def _told_by_worker(message: str) -> Optional[str]:
    """What PyTorch passes on is one text: the traceback, and the message."""
    frames = list(_FRAME.finditer(message))
    if not frames or not _is_raised(frames[-1]['file'], frames[-1]['line']):
        return None
    _, _, text = message[frames[-1].end():].strip().partition(': ')
    return text or None


def _write_to_log(error: Exception) -> Optional[str]:
    """Append the traceback to the log file; its path, if there is one."""
    lines = ''.join(traceback.format_exception(error))
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.emit(
                logging.makeLogRecord(
                    dict(name='mmengine', levelno=logging.ERROR,
                         levelname='ERROR', msg=lines)))
            return handler.baseFilename
    return None

# Copyright (c) mic_mm authors. All rights reserved.
"""Errors of a run that say what to do are shown without a traceback."""
from __future__ import annotations

import argparse
import logging
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
_DELIBERATE = (ValueError, TypeError, OSError, ImportError)


@contextmanager
def told_errors(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Show what a run refuses as a usage error (exit code 2).

    What mic_mm raises names the value, its place in the config and the
    remedy; above that line a traceback is in the way.  It goes to the log of
    the run.  All other errors, those of the model of a user above all, keep
    their traceback.

    Args:
        parser (argparse.ArgumentParser): Tells them.
    """
    try:
        yield
    except Exception as error:
        if not is_told(error):
            raise
        message = str(error.args[0] if error.args else error)
        log = _write_to_log(error)
        if log is not None:
            message += f'\n(traceback: {log})'
        parser.error(message)


def is_told(error: Exception) -> bool:
    """Whether an error speaks for itself.

    That is one that a ``raise`` statement of mic_mm made, or a type or an
    argument in the config that does not exist, found by MMEngine's registry.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return False
    place = Path(frames[-1].filename)
    if place == _REGISTRY:
        return isinstance(error, (KeyError, TypeError))
    is_raised = (frames[-1].line or '').startswith('raise ')
    return (is_raised and place.is_relative_to(_OWN)
            and isinstance(error, _DELIBERATE))


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

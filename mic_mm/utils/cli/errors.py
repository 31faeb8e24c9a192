# Copyright (c) mic_mm authors. All rights reserved.
"""Mistakes on the command line, told as such."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from mic_mm.utils.checkpoint_file import CheckpointError


class UsageError(ValueError):
    """A mistake on the command line."""


@contextmanager
def usage_errors(parser: argparse.ArgumentParser,
                 *others: type[Exception]) -> Iterator[None]:
    """Show mistakes of the user as usage errors (exit code 2).

    They are those of the command line, and checkpoints that cannot be used.

    Args:
        parser (argparse.ArgumentParser): Tells them.
        *others (type): Further errors that are mistakes of the user here.
    """
    try:
        yield
    except (UsageError, CheckpointError, *others) as error:
        # The text of a KeyError is in quotation marks.
        is_key = isinstance(error, KeyError) and error.args
        message = error.args[-1] if is_key else error
        # Without the usage, which would push the sentence out of sight.
        parser.exit(2, f'{parser.prog}: error: {message}\n')

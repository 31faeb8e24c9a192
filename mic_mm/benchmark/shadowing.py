# Copyright (c) mic_mm authors. All rights reserved.
"""Functions put around methods of single objects, for a while."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def shadowed(owner: Any, name: str,
             around: Callable[[Callable], Callable]) -> Iterator[None]:
    """Put ``around(method)`` in the place of ``owner.name``.

    The attribute is set on the object, so other objects of the class and the
    library are left alone.

    Args:
        owner (Any): The object.
        name (str): Name of the method.
        around (Callable): Takes the method, gives the function that replaces
            it.
    """
    replaced = vars(owner).get(name)
    setattr(owner, name, around(getattr(owner, name)))
    try:
        yield
    finally:
        if replaced is None:
            delattr(owner, name)
        else:
            setattr(owner, name, replaced)

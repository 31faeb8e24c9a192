# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn


def named_modules(model: nn.Module, names: Sequence[str],
                  place: str) -> dict[str, nn.Module]:
    """The modules of ``model`` that a config names.

    A container that is never called itself, such as ``backbone.layers`` of a
    transformer, stands for each of its entries.

    Args:
        model (nn.Module): The network.
        names (Sequence[str]): Names as in ``model.named_modules()``.
        place (str): Where in the config they are, for messages.

    Returns:
        dict[str, nn.Module]: Modules with a forward pass of their own, by
        name, each once.

    Raises:
        TypeError: If ``names`` is no list of strings.
        ValueError: If there is no module of that name.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'{place}={names!r} is no list of module names, such '
                        "as ['backbone'].")
    found: dict[str, nn.Module] = {}
    for name in names:
        found.update(_called(name, _module(model, name, place)))
    return found


def _module(model: nn.Module, name: str, place: str) -> nn.Module:
    if not isinstance(name, str):
        raise TypeError(f'{place} has the entry {name!r}, which is no string.')
    parent, path = model, ''
    for part in name.split('.'):
        children = dict(parent.named_children())
        if part not in children:
            raise ValueError(
                f'{place} names {name!r}, but {path or type(model).__name__} '
                f'has no module {part!r}; it has {list(children)}. Names are '
                'those of the wrapped model, without `student.` in front.')
        parent = children[part]
        path = f'{path}.{part}' if path else part
    return parent


def _called(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(module, (nn.ModuleList, nn.ModuleDict)):
        for key, child in module.named_children():
            yield from _called(f'{name}.{key}', child)
    else:
        yield name, module

# Copyright (c) mic_mm authors. All rights reserved.
"""The entry point by which other OpenMMLab code registers a package."""
import importlib


def register_all_modules(init_default_scope: bool = False) -> None:
    """Import every module of mic_mm, so that its types are registered.

    Not needed in configs, where the prefix ``mic_mm.`` does the same.

    Args:
        init_default_scope (bool): Accepted because MMEngine passes it.
            Defaults to False, the only supported value: with ``mic_mm`` as
            default scope the un-prefixed types inside of a model config
            (``type='ResNet'``) cannot be found.

    Raises:
        ValueError: If ``init_default_scope`` is True.
    """
    if init_default_scope:
        raise ValueError(
            'init_default_scope=True would make the un-prefixed types of the '
            'wrapped model unresolvable. Keep the default scope of its '
            "library (e.g. default_scope = 'mmseg') and address types of this "
            "package as 'mic_mm.X'.")
    for room in ('core', 'engine', 'tasks'):
        importlib.import_module(f'mic_mm.{room}')

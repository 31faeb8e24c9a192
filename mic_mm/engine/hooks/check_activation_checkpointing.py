# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmengine.runner import Runner


def check_activation_checkpointing(runner: Runner) -> None:
    """Refuse MMEngine's own switch, which would leave weights untrained.

    Its variant of checkpointing gives no gradient to a module whose inputs
    need none, which holds for a whole backbone and for its first stage, and
    it tells so by a warning of PyTorch at most.

    Raises:
        ValueError: If the config has ``activation_checkpointing``.
    """
    names = runner.cfg.get('activation_checkpointing')
    if not names:
        return
    names = [names] if isinstance(names, str) else list(names)
    ours = [name.removeprefix('student.') for name in names]
    raise ValueError(
        f'activation_checkpointing={names} of the runner would leave modules '
        'without a gradient, e.g. the whole backbone. Use '
        f'model.execution=dict(activation_checkpointing={ours}).')

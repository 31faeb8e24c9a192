# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence

from mmengine.structures import BaseDataElement


def without_ground_truth(packed: dict, keep: Sequence[str] = ()) -> dict:
    """Copy a packed image without any label.

    Args:
        packed (dict): What a pipeline that ends in a ``Pack*`` transform
            returns: ``inputs`` and ``data_samples``.
        keep (Sequence[str]): Data fields that are no labels. Defaults to ().

    Returns:
        dict: ``inputs`` and a data sample with the meta information and the
        fields in ``keep``.  Everything else is left behind.

    Raises:
        TypeError: If ``packed`` has another layout.
    """
    sample = packed.get('data_samples') if isinstance(packed, dict) else None
    if not isinstance(sample, BaseDataElement) or 'inputs' not in packed:
        got = sorted(packed) if isinstance(packed, dict) else type(packed)
        raise TypeError(
            'The target pipeline has to end in the Pack* transform of its '
            'library (PackSegInputs, PackDetInputs or PackInputs), which '
            f"returns 'inputs' and 'data_samples', but it returned {got}. "
            'Check train_dataloader.dataset.target.pipeline.')
    bare = type(sample)(metainfo=sample.metainfo)
    for name in keep:
        if name in sample.keys():
            bare.set_field(getattr(sample, name), name)
    return dict(inputs=packed['inputs'], data_samples=bare)

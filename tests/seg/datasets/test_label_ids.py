# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest

from mic_mm.seg.datasets.label_ids import CITYSCAPES_IDS, SYNTHIA_IDS, to_label_ids, to_train_ids


@pytest.mark.parametrize('ids', [CITYSCAPES_IDS, SYNTHIA_IDS])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32])
def test_every_id_becomes_its_class_and_others_are_ignored(ids, dtype):
    limits = np.iinfo(dtype)
    values = np.arange(max(limits.min, -5), min(limits.max, 1000) + 1)
    found = to_train_ids(values.astype(dtype), ids)
    assert found.dtype == np.uint8
    assert found.tolist() == [ids.get(int(v), 255) for v in values]


@pytest.mark.parametrize('ids', [CITYSCAPES_IDS, SYNTHIA_IDS])
def test_tables_cover_the_19_classes_once_and_can_be_inverted(ids):
    assert sorted(ids.values()) == list(range(19))
    classes = np.arange(19, dtype=np.uint8)
    assert to_train_ids(to_label_ids(classes, ids), ids).tolist() \
        == classes.tolist()


def test_ignored_pixels_have_no_id():
    assert to_label_ids(np.array([255], np.uint8), CITYSCAPES_IDS) == 0

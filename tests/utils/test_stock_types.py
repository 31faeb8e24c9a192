# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

pytest.importorskip('mmpretrain')

from mic_mm.registry import DATASETS  # noqa: E402
from mic_mm.utils.stock_types import with_stock_types  # noqa: E402


@pytest.mark.parametrize('classes, kind', [
    (('Bus', 'cat', 'dog'), 'CustomDataset'),
    (('cat', 'Bus', 'dog'), 'mic_mm.ClassificationDataset'),
])
def test_class_folders_are_the_librarys_where_it_numbers_them_so(
        tmp_path, classes, kind):
    for name in classes:
        (tmp_path / name).mkdir()
        for file in ('a.webp', 'b.png'):
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(
                tmp_path / name / file)
    own = dict(type='mic_mm.ClassificationDataset', data_prefix=str(tmp_path),
               metainfo=dict(classes=classes), pipeline=[])
    cfg = with_stock_types(Config(dict(test_dataloader=dict(dataset=own))))
    stock = cfg.test_dataloader.dataset
    assert stock.type == kind
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        found, expected = (
            {(info['img_path'], info['gt_label'])
             for info in map(data.get_data_info, range(len(data)))}
            for data in map(DATASETS.build, (stock, own)))
    assert found == expected and len(found) == 6

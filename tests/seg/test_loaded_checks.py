# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData

from mic_mm.registry import MODELS
from mic_mm.testing.batches import SIZE, seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor


def build(**preprocessor):
    segmentor = tiny_segmentor()
    segmentor['data_preprocessor'].update(preprocessor)
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=segmentor,
            objectives=dict(source=dict(type='mic_mm.SourceSupervision')))).train()


def pair():
    data = dict(source=seg_batch(0), target=without_labels(seg_batch(1)))
    for domain, batch in data.items():
        for index, sample in enumerate(batch['data_samples']):
            sample.set_metainfo(dict(img_path=f'{domain}/{index}.png'))
    return data


def step(model, data):
    return model.train_step(
        data, OptimWrapper(torch.optim.SGD(model.student.parameters(), lr=0.1)))


def test_fitting_batches_pass():
    assert step(build(size=(SIZE, SIZE)), pair())['loss'] > 0


@pytest.mark.parametrize('value', [4, 17, -1])
def test_label_outside_of_the_classes_is_named_with_its_file(value):
    data = pair()
    data['source']['data_samples'][1].gt_sem_seg.data[0, 3, 5] = value
    with pytest.raises(ValueError, match=rf'source/1.png has the values \[{value}\]'):
        step(build(), data)


def test_ignored_pixels_pass():
    data = pair()
    data['source']['data_samples'][0].gt_sem_seg.data[0, :3] = 255
    assert step(build(), data)['loss'] > 0


def test_label_map_of_another_size_is_named_with_its_file():
    data = pair()
    data['source']['data_samples'][0].gt_sem_seg = PixelData(
        data=torch.zeros(1, SIZE, SIZE // 2, dtype=torch.long))
    with pytest.raises(ValueError, match=f'source/0.png is {SIZE}x{SIZE // 2} pixels'):
        step(build(), data)


def test_target_smaller_than_the_crop_is_named_with_its_file():
    data = pair()
    data['target']['inputs'][1] = data['target']['inputs'][1][:, :SIZE - 8]
    with pytest.raises(ValueError, match=f'target/1.png is {SIZE - 8}x{SIZE} .*larger'):
        step(build(size=(SIZE, SIZE)), data)


def test_source_without_path_is_refused_as_well():
    batch = seg_batch(0)
    batch['data_samples'][0].gt_sem_seg.data[0, 0, 0] = 9
    with pytest.raises(ValueError, match='img_path is not packed has the values'):
        step(build(), batch)


class HeadlessSegmentor(BaseModel):
    """A user's own segmentor, without the decode head of MMSegmentation."""

    def __init__(self):
        super().__init__(dict(type='mmseg.SegDataPreProcessor', size=(SIZE, SIZE)))
        self.layer = torch.nn.Conv2d(3, 4, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.layer(inputs)

    def loss(self, inputs, data_samples):
        return dict(loss=self.layer(inputs.float()).square().mean())


def test_segmentor_without_decode_head_is_trained_unchecked():
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=HeadlessSegmentor(),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision')))).train()
    assert step(model, seg_batch(0))['loss'] > 0

# Copyright (c) mic_mm authors. All rights reserved.
"""Every host of segmentation trains in half precision."""
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mic_mm.core import LabelledImages
from mic_mm.registry import MODELS
from mic_mm.seg.pixel_labeller import PixelLabeller
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.mixed_precision import train_in_half
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda

SIZE = 64
DISTANCE = dict(
    type='mic_mm.SegSourceSupervision',
    feature_distance=dict(type='mic_mm.FeatureDistance', classes=[0, 1]))
LOGITS = dict(type='mic_mm.SegSourceSupervision', keep_logits=True)
MIX = dict(
    type='mic_mm.ClassMixSelfTraining',
    pseudo_threshold=0.26,
    color_aug=dict(type='mic_mm.ColorAugmentation'))
HOSTS = dict(
    daformer=(tiny_daformer, dict(source=DISTANCE, self_training=MIX)),
    hrda=(tiny_hrda, dict(source=DISTANCE, self_training=MIX)),
    dacs=(tiny_dlv2,
          dict(
              source=dict(type='mic_mm.SourceSupervision'),
              self_training=MIX)),
    advseg=(tiny_dlv2,
            dict(
                source=LOGITS,
                adversarial=dict(
                    type='mic_mm.OutputSpaceAlignment',
                    discriminator=dict(channels=4)))),
    minent=(tiny_dlv2,
            dict(
                source=LOGITS,
                entropy=dict(type='mic_mm.EntropyMinimization'))))


def pair(seed):
    return dict(
        source=seg_batch(seed, size=SIZE),
        target=without_labels(seg_batch(seed + 50, size=SIZE)))


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
@pytest.mark.parametrize('host', HOSTS)
def test_host_trains(host, dtype):
    torch.manual_seed(0)
    make, objectives = HOSTS[host]
    mic = dict(
        type='mic_mm.MaskedConsistency',
        pseudo_threshold=0.26,
        mask=dict(type='mic_mm.BlockMask', block_size=16))
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=make(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(objectives, mic=mic))).train()
    logs = train_in_half(model, [pair(0), pair(1)], dtype, scale=0.25)
    assert all(log['mic.pseudo_confidence'].dtype == torch.float32
               for log in logs)


class Teacher:
    """Gives fixed logits."""

    def __init__(self, logits):
        self.logits = logits

    def encode_decode(self, inputs, metas):
        return self.logits


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_confidence_is_that_of_the_logits_in_full_precision(dtype):
    torch.manual_seed(0)
    logits = (5 * torch.randn(2, 5, 8, 8)).to(dtype)
    exact = logits.double().softmax(1).amax(1)
    threshold = float(exact.flatten().sort().values[40])
    images = LabelledImages(
        torch.zeros(2, 3, 8, 8),
        [SegDataSample(metainfo=dict(img_shape=(8, 8))) for _ in range(2)])
    with torch.autocast('cpu', dtype):
        labels = PixelLabeller()(Teacher(logits), images, threshold - 1e-6)
    weight = labels.data_samples[0].loss_weight
    assert isinstance(weight, PixelData)
    assert weight.data.dtype == torch.float32
    # In half precision the places near the threshold would change sides.
    assert weight.data[0, 0, 0] == (2 * 64 - 40) / (2 * 64)
    torch.testing.assert_close(
        labels.metrics['pseudo_confidence'].double(), exact.mean(),
        rtol=1e-6, atol=0)

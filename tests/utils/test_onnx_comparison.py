# Copyright (c) mic_mm authors. All rights reserved.
"""Whether the check of an ONNX file tells right from wrong."""
import pytest
import torch
from mmengine.config import Config

from mic_mm.testing.hosts import tiny_vit
from mic_mm.testing.models_seg_da import tiny_dlv2
from mic_mm.utils.onnx_comparison import compare_onnx, verify_onnx
from mic_mm.utils.onnx_export import export_onnx, random_images
from mic_mm.utils.plain_export import build_plain
from mic_mm.utils.tensor_models import as_tensor_model

pytest.importorskip('onnx', reason='the extra onnx is not installed')
pytest.importorskip('onnxruntime')


@pytest.fixture
def exported(tmp_path):
    """Exports a model that is built from a config."""

    def export(cfg, scope, dynamic=()):
        torch.manual_seed(0)
        model = build_plain(Config(dict(default_scope=scope, model=cfg)))
        tensors = as_tensor_model(model.eval())
        export_onnx(tensors, tmp_path / 'm.onnx', (64, 64), dynamic,
                    exporter='torchscript')
        return tensors, tmp_path / 'm.onnx'

    return export


def test_a_file_of_other_weights_differs(exported):
    tensors, path = exported(tiny_dlv2(), 'mmseg')
    images = random_images(tensors, 1, (64, 64), seed=1)
    same, = compare_onnx(tensors, path, images)
    assert same.relative < 1e-5
    tensors.model.decode_head.aspp_modules[0].conv.bias.data += 1
    other, = compare_onnx(tensors, path, images)
    assert other.largest == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match='onnxruntime cannot run'):
        compare_onnx(tensors, path, random_images(tensors, 1, (32, 32)))


def test_another_size_and_batch_are_compared(exported, monkeypatch):
    tensors, path = exported(tiny_dlv2(), 'mmseg', ('batch', 'size'))
    shapes = []
    tensors.register_forward_pre_hook(
        lambda module, args: shapes.append(tuple(args[0].shape)))
    difference, = verify_onnx(tensors, path, (64, 64), ('batch', 'size'))
    assert shapes == [(3, 3, 192, 320)]
    assert difference.relative < 1e-5


def test_a_wrong_file_is_told_and_removed(exported):
    tensors, path = exported(tiny_dlv2(), 'mmseg')
    tensors.model.decode_head.aspp_modules[0].conv.bias.data.fill_(torch.nan)
    with pytest.raises(ValueError, match='wrong: more than.*logits: .*nan'):
        verify_onnx(tensors, path, (64, 64))
    assert not path.exists()


def test_sizes_that_the_exporter_could_not_free_are_told(exported):
    tensors, path = exported(tiny_vit(64), 'mmpretrain', ('size', ))
    with pytest.raises(ValueError, match='for a fixed size.*was removed'):
        verify_onnx(tensors, path, (64, 64), ('size', ))
    assert not path.exists()

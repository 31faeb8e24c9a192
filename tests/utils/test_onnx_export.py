# Copyright (c) mic_mm authors. All rights reserved.
"""ONNX files against what the libraries predict, in onnxruntime."""
import importlib.util

import pytest
import torch
from mmengine.config import Config

from mic_mm.testing.hosts import tiny_vit
from mic_mm.testing.models import tiny_detector, tiny_one_stage_detector
from mic_mm.testing.models_det import tiny_dino, tiny_retinanet
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda
from mic_mm.utils.onnx_export import default_exporter, export_onnx, random_images
from mic_mm.utils.plain_export import build_plain
from mic_mm.utils.tensor_models import as_tensor_model

onnx = pytest.importorskip('onnx', reason='the extra onnx is not installed')
onnxruntime = pytest.importorskip('onnxruntime')


def build(cfg, scope):
    torch.manual_seed(0)
    model = build_plain(Config(dict(default_scope=scope, model=cfg)))
    # As if trained: what is left of an image in an initialized network is
    # too little to tell right from wrong.
    for name, value in model.state_dict().items():
        if name.endswith('running_mean'):
            value.uniform_(-0.1, 0.1)
        elif name.endswith('running_var'):
            value.uniform_(1, 2)
        elif value.ndim > 1:
            value.normal_(std=1.2 / value[0].numel()**0.5)
    return model.eval()


def run_file(path, images):
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    found = session.run(None, {'images': images.numpy()})
    return dict(zip(names, map(torch.from_numpy, found)))


def preprocessed(model, images):
    """What the library makes of images as OpenCV reads them."""
    data = dict(inputs=list(images.to(torch.uint8)))
    return model.data_preprocessor(data)['inputs']


def whole_numbers(model, batch, size):
    return random_images(model, batch, (size, size), seed=7).floor()


def assert_same(found, expected):
    assert float(expected.std()) > 1e-2 * float(expected.abs().max())
    torch.testing.assert_close(
        found, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


@pytest.mark.parametrize('segmentor', [tiny_daformer, tiny_dlv2])
def test_logits_of_segmentors(segmentor, tmp_path):
    model = build(segmentor(), 'mmseg')
    tensors = as_tensor_model(model)
    export_onnx(tensors, tmp_path / 'm.onnx', (64, 64),
                exporter='torchscript')
    images = whole_numbers(tensors, 1, 64)
    with torch.no_grad():
        sample, = model.predict(preprocessed(model, images))
    found = run_file(tmp_path / 'm.onnx', images)
    assert_same(found['logits'][0], sample.seg_logits.data)
    assert [p.name for p in tmp_path.iterdir()] == ['m.onnx']


def test_scores_of_a_vision_transformer(tmp_path):
    from mmpretrain.structures import DataSample
    model = build(tiny_vit(64), 'mmpretrain')
    tensors = as_tensor_model(model)
    export_onnx(tensors, tmp_path / 'm.onnx', (64, 64), dynamic=['batch'],
                exporter='torchscript')
    images = whole_numbers(tensors, 5, 64)
    with torch.no_grad():
        samples = model.predict(
            preprocessed(model, images), [DataSample() for _ in images])
    found = run_file(tmp_path / 'm.onnx', images)['logits'].softmax(1)
    assert_same(found, torch.stack([s.pred_score for s in samples]))


@pytest.mark.parametrize('detector, names', [
    (tiny_detector, 'feature cls_score bbox_pred'),
    (tiny_retinanet, 'feature cls_score bbox_pred'),
    (tiny_one_stage_detector, 'feature cls_score bbox_pred extra0'),
])
def test_maps_of_detectors_at_any_size(detector, names, tmp_path):
    model = build(detector(), 'mmdet')
    tensors = as_tensor_model(model)
    export_onnx(tensors, tmp_path / 'm.onnx', (64, 64),
                dynamic=['batch', 'size'], exporter='torchscript')
    images = whole_numbers(tensors, 3, 96)
    with torch.no_grad():
        features = model.extract_feat(preprocessed(model, images))
        head = (
            model.rpn_head if detector is tiny_detector else model.bbox_head)
        maps = [features, *head(features)]
    found = run_file(tmp_path / 'm.onnx', images)
    expected = {
        f'{name}_{level}': value
        for name, levels in zip(names.split(), maps)
        for level, value in enumerate(levels)
    }
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert_same(found[name], value)


def test_normalised_images_are_taken_on_demand(tmp_path):
    model = build(tiny_dlv2(), 'mmseg')
    export_onnx(as_tensor_model(model, normalize=False), tmp_path / 'm.onnx',
                (64, 64), exporter='torchscript')
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        sample, = model.predict(images)
    assert_same(run_file(tmp_path / 'm.onnx', images)['logits'][0],
                sample.seg_logits.data)


@pytest.mark.slow
@pytest.mark.skipif(
    default_exporter() != 'dynamo',
    reason='the dynamo exporter of PyTorch 2.5 cannot write batch norm')
@pytest.mark.parametrize('segmentor, dynamic', [
    (tiny_hrda, []), (tiny_daformer, ['batch', 'size'])])
def test_the_dynamo_exporter(segmentor, dynamic, tmp_path):
    pytest.importorskip('onnxscript')
    model = build(segmentor(), 'mmseg')
    tensors = as_tensor_model(model)
    export_onnx(tensors, tmp_path / 'm.onnx', (64, 64), dynamic=dynamic)
    images = whole_numbers(tensors, 3 if dynamic else 1, 96 if dynamic else 64)
    with torch.no_grad():
        samples = model.predict(preprocessed(model, images))
    assert_same(
        run_file(tmp_path / 'm.onnx', images)['logits'],
        torch.stack([s.seg_logits.data for s in samples]))
    assert [p.name for p in tmp_path.iterdir()] == ['m.onnx']
    assert str(tmp_path.home()).encode() not in (
        tmp_path / 'm.onnx').read_bytes()


def test_what_cannot_be_exported_is_refused(tmp_path, monkeypatch):
    hrda = as_tensor_model(build(tiny_hrda(), 'mmseg'))
    path = tmp_path / 'm.onnx'
    with pytest.raises(ValueError, match='writes in place.*Use the exporter'):
        export_onnx(hrda, path, (64, 64), exporter='torchscript')
    with pytest.raises(ValueError, match='for a fixed size'):
        export_onnx(hrda, path, (64, 64), dynamic=['size'], exporter='dynamo')
    with pytest.raises(ValueError, match='DINO has queries'):
        as_tensor_model(build(tiny_dino(), 'mmdet'))
    with pytest.raises(ValueError, match='Linear is no EncoderDecoder'):
        as_tensor_model(torch.nn.Linear(1, 1))
    tensors = as_tensor_model(build(tiny_dlv2(), 'mmseg'))
    with pytest.raises(ValueError, match="exporter='other'"):
        export_onnx(tensors, path, (64, 64), exporter='other')
    with pytest.raises(ValueError, match=r"dynamic=\['width'\]"):
        export_onnx(tensors, path, (64, 64), dynamic=['width'])
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match='needs onnx, onnxscript.*onnx]'):
        export_onnx(tensors, path, (64, 64), exporter='dynamo')
    assert not path.exists()


@pytest.mark.parametrize('opset', [11, 17, 20])
def test_a_version_of_the_operators_is_chosen(opset, tmp_path):
    tensors = as_tensor_model(build(tiny_dlv2(), 'mmseg'))
    export_onnx(tensors, tmp_path / 'm.onnx', (64, 64), opset=opset,
                exporter='torchscript')
    versions = onnx.load(tmp_path / 'm.onnx').opset_import
    assert [v.version for v in versions if not v.domain] == [opset]


@pytest.mark.parametrize('options, reason', [
    (dict(opset=5), 'torchscript cannot export .* version:? 5'),
    (dict(size=(4, 4)), 'cannot take images of 4x4.*Choose the size'),
])
def test_what_network_or_exporter_cannot_do(options, reason, tmp_path):
    tensors = as_tensor_model(build(tiny_daformer(), 'mmseg'))
    with pytest.raises(ValueError, match=reason):
        export_onnx(tensors, tmp_path / 'm.onnx', exporter='torchscript',
                    **{'size': (64, 64), **options})
    assert not (tmp_path / 'm.onnx').exists()


@pytest.mark.slow
@pytest.mark.skipif(
    default_exporter() != 'dynamo', reason='needs the dynamo exporter')
def test_a_version_that_dynamo_would_replace_is_refused(tmp_path):
    pytest.importorskip('onnxscript')
    tensors = as_tensor_model(build(tiny_dlv2(), 'mmseg'))
    with pytest.raises(ValueError, match='opset=11 .*but 18.*torchscript'):
        export_onnx(tensors, tmp_path / 'm.onnx', (64, 64), opset=11,
                    exporter='dynamo')
    assert list(tmp_path.iterdir()) == []

# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_classifier

pytest.importorskip('onnx', reason='the extra onnx is not installed')
onnxruntime = pytest.importorskip('onnxruntime')
TOOL = 'deployment/export_onnx.py'
OPTIONS = ('--size', 32, 32, '--exporter', 'torchscript')


@pytest.fixture
def trained(tmp_path):
    """Config and checkpoint whose teacher and student are different."""
    path = tmp_path / 'classifier.py'
    Config(
        dict(
            default_scope='mmpretrain',
            model=dict(
                type='mic_mm.UDAClassifier',
                classifier=tiny_classifier(),
                teacher=dict(type='mic_mm.EMATeacher'),
                objectives=dict(
                    source=dict(type='mic_mm.SourceSupervision'))))).dump(
                        path)
    cfg = Config.fromfile(path)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    model.update_teachers()
    model.student.head.fc.bias.data += 1
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'run.pth')
    return path, tmp_path / 'run.pth', model.eval()


@pytest.mark.parametrize('branch', ['student', 'teacher'])
def test_a_branch_of_a_run_is_exported(branch, trained, run_tool, tmp_path,
                                       capsys):
    config, checkpoint, model = trained
    out = tmp_path / 'new' / 'model.onnx'
    run_tool(TOOL, config, checkpoint, '--out', out, '--branch', branch,
             '--no-normalization', *OPTIONS)
    text = capsys.readouterr().out
    assert 'logits: largest difference' in text and 'outputs logits' in text
    images = torch.randn(1, 3, 32, 32)
    found, = onnxruntime.InferenceSession(str(out)).run(
        None, {'images': images.numpy()})
    network = model.student if branch == 'student' else model.teacher.model
    with torch.no_grad():
        torch.testing.assert_close(
            torch.from_numpy(found), network(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('change, message', [
    (lambda a: ['no.py', *a[1:]], "config file 'no.py' does not exist"),
    (lambda a: [a[0], 'no.pth', *a[2:]], 'no.pth does not exist'),
    (lambda a: [*a, '--tolerance', '-1'],
     'is wrong: more than the tolerance -1.0 from PyTorch are logits'),
    (lambda a: [*a, '--size', '0', '4'], "'0' is no positive number"),
    (lambda a: [*a, '--cfg-options', 'model.classifier.head.num_classes=7'],
     'of another shape'),
])
def test_mistakes_and_wrong_files_end_it(change, message, trained, run_tool,
                                         tmp_path, capsys):
    config, checkpoint, _ = trained
    arguments = change([config, checkpoint, *OPTIONS])
    with pytest.raises(SystemExit) as stop:
        run_tool(TOOL, *arguments, '--out', tmp_path / 'm.onnx')
    assert stop.value.code == 2
    assert message in capsys.readouterr().err

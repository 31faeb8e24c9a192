# Copyright (c) mic_mm authors. All rights reserved.
"""The demos on files, folders and videos, from the command line."""
import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_classifier, tiny_detector, tiny_segmentor

DEMO = Path(__file__).resolve().parents[2] / 'demo'
CLASSES = ('road', 'sky', 'car', 'tree')
TASKS = {
    'segment': ('mmseg', 'UDASegmentor', 'segmentor', tiny_segmentor,
                'BaseSegDataset', 'PackSegInputs'),
    'detect': ('mmdet', 'UDADetector', 'detector', tiny_detector,
               'CocoDataset', 'PackDetInputs'),
    'classify': ('mmpretrain', 'UDAClassifier', 'classifier', tiny_classifier,
                 'CustomDataset', 'PackInputs'),
}


@pytest.fixture
def demo(monkeypatch, tmp_path, capsys):
    """Runs a demo in this process; returns what it printed."""

    def run(name, *arguments):
        path = DEMO / f'{name}.py'
        spec = importlib.util.spec_from_file_location(f'demo_{name}', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        module.run()
        return capsys.readouterr().out

    return run


def config_of(name):
    scope, wrapper, key, model, dataset, pack = TASKS[name]
    return dict(
        default_scope=scope,
        model=dict(
            type=f'mic_mm.{wrapper}',
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision')),
            **{key: model()}),
        # what default_runtime.py of the configs has
        visualizer=dict(
            type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]),
        test_dataloader=dict(
            dataset=dict(
                type=dataset,
                metainfo=dict(classes=CLASSES),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='Resize', scale=(32, 32), keep_ratio=True),
                    dict(type=pack)
                ] if name == 'detect' else [
                    dict(type='LoadImageFromFile'),
                    dict(type=pack)
                ])))


@pytest.fixture
def run_of(tmp_path):
    """Config and checkpoint whose student and teacher are different."""

    def make(name):
        cfg = Config(config_of(name))
        config = tmp_path / f'{name}.py'
        cfg.dump(config)
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            model = MODELS.build(cfg.model)
        last = [p for p in model.student.parameters() if p.ndim > 1][-1]
        torch.nn.init.normal_(last, std=2.)
        if name == 'segment':
            torch.nn.init.normal_(model.student.decode_head.conv_seg.weight)
        model.update_teachers()
        for parameter in model.student.parameters():
            parameter.data.copy_(parameter.data.roll(1, 0))
        torch.save(dict(state_dict=model.state_dict()), tmp_path / 'run.pth')
        return config, tmp_path / 'run.pth', model.eval()

    return make


@pytest.fixture
def images(tmp_path):
    """A folder with two images, of 32 pixels as the tiny networks want."""
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(
            str(tmp_path / 'images' / name),
            rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
    return tmp_path / 'images'


def network_input(network, path):
    pixels = torch.from_numpy(cv2.imread(str(path))).permute(2, 0, 1)
    return network.data_preprocessor(dict(inputs=[pixels]))['inputs']


def on_canvas(image):
    """An image as MMEngine's visualizer gives it back.

    Some versions of Matplotlib resample it.
    """
    from mmengine.visualization import Visualizer
    canvas = Visualizer()
    canvas.set_image(image.astype(np.uint8))
    return canvas.get_image()


@pytest.mark.parametrize('branch', ['student', 'teacher'])
def test_segmentation_is_blended_over_the_image(branch, demo, run_of, images):
    config, checkpoint, model = run_of('segment')
    out = images.parent / 'out'
    text = demo('segment', images, config, checkpoint, '--out-dir', out,
                '--branch', branch, '--opacity', 0.5, '--device', 'cpu')
    assert '[2/2] b:' in text
    network = model.student if branch == 'student' else model.teacher.model
    from mic_mm.visualization.palette import class_colors
    colors = np.array(class_colors(4))
    for name in ('a', 'b'):
        path = images / f'{name}.png'
        with torch.no_grad():
            sample, = network.predict(network_input(network, path))
        labels = sample.pred_sem_seg.data[0].numpy()
        assert len(np.unique(labels)) > 1
        image = cv2.imread(str(path))[..., ::-1].astype(float)
        expected = on_canvas(0.5 * image + 0.5 * colors[labels])
        drawn = cv2.imread(str(out / f'{name}.png'))[..., ::-1]
        assert np.abs(drawn.astype(int) - expected).max() <= 1


def test_boxes_are_drawn(demo, run_of, images):
    config, checkpoint, model = run_of('detect')
    text = demo('detect', images / 'a.png', config, checkpoint, '--score',
                0.05, '--device', 'cpu')
    path = images / 'a.png'
    with torch.no_grad():
        boxes, = model.student.predict(
            network_input(model.student, path),
            [sample_of(32, 32)], rescale=True)
    shown = boxes.pred_instances.scores > 0.05
    labels = boxes.pred_instances.labels[shown].tolist()
    assert labels
    for label in set(labels):
        assert f'{labels.count(label)} {CLASSES[label]}' in text
    drawn = cv2.imread(str(images.parent / 'outputs' / 'a.png'))
    assert (drawn != cv2.imread(str(path))).any()


def sample_of(height, width):
    from mmdet.structures import DetDataSample
    return DetDataSample(metainfo=dict(
        img_shape=(height, width), ori_shape=(height, width),
        scale_factor=(1., 1.)))


def test_the_class_is_named_and_written(demo, run_of, images):
    config, checkpoint, model = run_of('classify')
    text = demo('classify', images / 'a.png', config, checkpoint, '--device',
                'cpu', '--out-dir', images.parent / 'out')
    with torch.no_grad():
        scores = model.student(
            network_input(model.student, images / 'a.png'))[0].softmax(0)
    assert (f'a: {CLASSES[int(scores.argmax())]} ({float(scores.max()):.2f})'
            in text)
    drawn = cv2.imread(str(images.parent / 'out' / 'a.png'))
    # Small images are enlarged so that the label can be read.
    assert drawn.shape == (256, 256, 3)


def test_a_video_becomes_a_video_or_frames(demo, run_of, tmp_path):
    config, checkpoint, _ = run_of('segment')
    writer = cv2.VideoWriter(
        str(tmp_path / 'v.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 8, (32, 32))
    for value in (0, 120, 240):
        writer.write(np.full((32, 32, 3), value, np.uint8))
    writer.release()
    arguments = ('segment', tmp_path / 'v.mp4', config, checkpoint,
                 '--out-dir', tmp_path / 'out')
    demo(*arguments)
    video = cv2.VideoCapture(str(tmp_path / 'out' / 'v.mp4'))
    assert video.get(cv2.CAP_PROP_FPS) == 8
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(frame)
    assert len(frames) == 3
    demo(*arguments, '--frames')
    for index, frame in enumerate(frames):
        single = cv2.imread(str(tmp_path / 'out' / f'{index:06d}.png'))
        # MP4 compresses.
        assert np.abs(single.astype(int) - frame).mean() < 20


def test_an_exported_model_gives_the_same_pictures(demo, run_of, images):
    from mic_mm.utils.checkpoint_file import read_checkpoint, save_weights
    from mic_mm.utils.plain_export import plain_config, plain_weights
    config, checkpoint, _ = run_of('segment')
    plain = images.parent / 'plain.py'
    plain_config(Config.fromfile(config)).dump(plain)
    save_weights(
        plain.with_suffix('.pth'),
        plain_weights(read_checkpoint(checkpoint)['state_dict']))
    folders = images.parent / 'one', images.parent / 'two'
    demo('segment', images, config, checkpoint, '--out-dir', folders[0])
    demo('segment', images, plain, plain.with_suffix('.pth'), '--out-dir',
         folders[1])
    for name in ('a.png', 'b.png'):
        one, two = (cv2.imread(str(folder / name)) for folder in folders)
        assert one is not None and (one == two).all()


def no_image(images, config, checkpoint):
    return images / 'no.png', config, checkpoint


def empty_folder(images, config, checkpoint):
    (images / 'empty').mkdir()
    return images / 'empty', config, checkpoint


def damaged_image(images, config, checkpoint):
    (images / 'a.png').write_bytes(b'no image')
    return images / 'a.png', config, checkpoint


def damaged_video(images, config, checkpoint):
    (images / 'a.mp4').write_bytes(b'no video')
    return images / 'a.mp4', config, checkpoint


def text_file(images, config, checkpoint):
    (images / 'a.txt').write_text('')
    return images / 'a.txt', config, checkpoint


def no_config(images, config, checkpoint):
    return images, 'no.py', checkpoint


def no_checkpoint(images, config, checkpoint):
    return images, config, 'no.pth'


def other_library(images, config, checkpoint):
    path = images.parent / 'other.py'
    Config(config_of('detect')).dump(path)
    return images, path, checkpoint


def only_a_part(images, config, checkpoint):
    path = images.parent / 'part.py'
    path.write_text("default_scope = 'mmseg'\n")
    return images, path, checkpoint


def other_network(images, config, checkpoint):
    torch.save({'state_dict': {'student.a': torch.zeros(1)}}, checkpoint)
    return images, config, checkpoint


def no_teacher(images, config, checkpoint):
    torch.save({'state_dict': {'student.a': torch.zeros(1)}}, checkpoint)
    return images, config, checkpoint, '--branch', 'teacher'


def onto_itself(images, config, checkpoint):
    return images, config, checkpoint, '--out-dir', images


def unknown_device(images, config, checkpoint):
    return images, config, checkpoint, '--device', 'gpu'


@pytest.mark.parametrize('mistake, message', [
    (no_image, "no.png' does not exist"),
    (empty_folder, 'has no image'),
    (damaged_image, 'is no image, or is damaged'),
    (damaged_video, 'is no video that OpenCV can read'),
    (text_file, 'neither an image'),
    (no_config, "The config file 'no.py' does not exist"),
    (no_checkpoint, "checkpoint: 'no.pth' does not exist"),
    (other_library, 'The config is one of mmdet'),
    (only_a_part, 'has no model or no test_dataloader'),
    (other_network, 'left over:\n  a'),
    (no_teacher, 'The checkpoint has no teacher'),
    (onto_itself, 'would be overwritten'),
    (unknown_device, '--device gpu cannot be used'),
])
def test_mistakes_are_named(mistake, message, demo, run_of, images, capsys):
    config, checkpoint, _ = run_of('segment')
    with pytest.raises(SystemExit) as stop:
        demo('segment', *mistake(images, config, checkpoint))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err

# Copyright (c) mic_mm authors. All rights reserved.
"""The segmentation configs are the experiments of the paper, as published."""
import argparse
import itertools
import re
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing.small_street_scenes import shrink_config
from mic_mm.utils import cli

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'seg'
PATHS = {
    p.stem: p
    for p in sorted(CONFIGS.glob('*/*.py')) if p.parent.name != 'digits'
}
READMES = [CONFIGS / 'README.md'] + sorted(
    {path.parent / 'README.md' for path in PATHS.values()})
GTA_LOW = '1xb2-40k_gta-512x512_cityscapes-512x512'
GTA_HIGH = '1xb2-40k_gta-1024x1024_cityscapes-1024x1024'
SYNTHIA_LOW = '1xb2-40k_synthia-512x512_cityscapes-512x512'
SYNTHIA_HIGH = '1xb2-40k_synthia-1024x1024_cityscapes-1024x1024'
ACDC = '1xb2-40k_cityscapes-1024x1024_acdc-1024x1024'
ZURICH = '1xb2-40k_cityscapes-1024x1024_darkzurich-1024x1024'
SUPERVISED = '1xb2-40k_cityscapes-512x512'
# What is masked, colour, block, ratio; EMA of the host, feature distance,
# smallest rare class in a crop; margins of crops and of images; optimizer.
LOW = (32, 0.7, 0.999, 0.005, 0.5, (15, 120), None, 'AdamW')
HIGH = (64, 0.7, 0.999, 0.005, 2.0, (0, 0), (30, 240, 30, 30), 'AdamW')
WEATHER = (64, 0.7, 0.999, 0.005, 2.0, (0, 0), None, 'AdamW')
NO_MASK = (32, 0, *LOW[2:])
ADVERSARIAL = (32, 0.7, 0.999, None, None, (0, 0), None, 'SGD')
DACS = (32, 0.7, 0.99, None, None, (0, 0), None, 'AdamW')
CATALOGUE = {
    f'mic-hrda_mit-b5_{GTA_HIGH}': ('target', True, *HIGH),
    f'mic-hrda_mit-b5_{SYNTHIA_HIGH}': ('target', True, *HIGH),
    f'mic-hrda_mit-b5_{ACDC}': ('both', False, *WEATHER),
    f'mic-hrda_mit-b5_{ZURICH}': ('both', False, *WEATHER),
    f'mic-advseg_dlv2-r101-d8_{GTA_LOW}': ('target', True, *ADVERSARIAL),
    f'mic-minent_dlv2-r101-d8_{GTA_LOW}': ('target', True, *ADVERSARIAL),
    f'mic-dacs_dlv2-r101-d8_{GTA_LOW}': ('target', True, *DACS),
    f'mic-daformer_dlv2-r101-d8_{GTA_LOW}': ('target', True, *LOW),
    f'mic-hrda_dlv2-r101-d8_{GTA_HIGH}': ('target', True, *HIGH),
    f'mic-daformer_mit-b5_{GTA_LOW}': ('target', True, *LOW),
    f'mic-daformer_mit-b5_{SYNTHIA_LOW}': ('target', True, *LOW),
    f'mic-hrda-on-source_mit-b5_{GTA_HIGH}': ('source', True, *HIGH),
    f'mic-hrda-on-both_mit-b5_{GTA_HIGH}': ('both', True, *HIGH),
    f'mic-hrda-on-source_mit-b5_{ACDC}': ('source', False, *WEATHER),
    f'mic-hrda-on-target_mit-b5_{ACDC}': ('target', False, *WEATHER),
    f'mic-daformer-no-color_mit-b5_{GTA_LOW}': ('target', False, *LOW),
    f'mic-daformer-no-mask_mit-b5_{GTA_LOW}': ('target', True, *NO_MASK),
    f'mic-daformer-no-ema_mit-b5_{GTA_LOW}': ('target', True, *LOW),
    f'mic-daformer-no-confidence_mit-b5_{GTA_LOW}': ('target', True, *LOW),
    f'mic-supervised_daformer-mit-b5_{SUPERVISED}':
        ('source', False, 32, 0.7, None, None, None, (0, 0), None, 'AdamW'),
}


def settings(cfg):
    model, dataset = cfg.model, cfg.train_dataloader.dataset
    mic = model.objectives.mic
    distance = model.objectives.source.get('feature_distance')
    sampling = dataset.get('source', {})
    rare = sampling.get('statistics') and sampling.min_crop_ratio
    labeller = model.get('labeller', {})
    margins = [t for t in dataset.get('target', dataset).pipeline
               if t.type == 'mic_mm.PseudoLabelMargins']
    sides = ('top', 'bottom', 'left', 'right')
    return (
        mic.on, mic.color_aug is not None, mic.mask.block_size, mic.mask.ratio,
        model.teacher.alpha if 'teacher' in model else None,
        distance and distance.weight, rare,
        tuple(labeller.get(f'ignore_{s}', 0) for s in ('top', 'bottom')),
        tuple(margins[0][side] for side in sides) if margins else None,
        cfg.optim_wrapper.optimizer.type)


@pytest.mark.parametrize('name', CATALOGUE)
def test_experiment_has_the_published_settings(name):
    cfg = Config.fromfile(PATHS[name])
    assert settings(cfg) == CATALOGUE[name]
    assert cfg.train_dataloader.batch_size == 2
    assert cfg.train_cfg.max_iters == 40000
    assert cfg.train_cfg.val_interval == 4000
    checkpoint = cfg.default_hooks.checkpoint
    assert checkpoint.interval == 2000  # to resume from
    assert 'save_best' not in checkpoint


def test_every_experiment_of_the_catalogue_has_a_config_and_the_reverse():
    assert {n for n in PATHS if n.startswith('mic-')} == set(CATALOGUE)


BASELINES = [n for n in CATALOGUE
             if not re.match('mic-(hrda-on|daformer-no)-', n)]


@pytest.mark.parametrize('name', BASELINES)
def test_a_host_is_the_same_config_without_masks(name):
    cfg = Config.fromfile(PATHS[name]).to_dict()
    del cfg['model']['objectives']['mic']
    if 'advseg' in name or 'minent' in name:
        del cfg['model']['teacher']  # for the masked images alone
    assert cfg.pop('mic') is None
    assert Config.fromfile(PATHS[name.removeprefix('mic-')]).to_dict() == cfg


def test_ablations_leave_the_host_as_it_is():
    def read(ablation):
        cfg = Config.fromfile(PATHS[f'mic-daformer{ablation}_mit-b5_{GTA_LOW}'])
        with DefaultScope.overwrite_default_scope('mmseg'):
            return MODELS.build(shrink_config(cfg.to_dict(), ROOT)['model'])

    complete, ema, confidence = map(read, ('', '-no-ema', '-no-confidence'))
    for model in (complete, ema, confidence):
        assert model.teacher.alpha == 0.999
        assert model.objectives.self_training.pseudo_threshold == 0.968
    assert complete.objectives.mic.pseudo_threshold == 0.968
    assert ema.objectives.mic.pseudo_threshold == 0.968
    assert ema.teacher_of('mic').alpha == 0
    assert confidence.objectives.mic.pseudo_threshold is None
    assert confidence.teacher_of('mic') is confidence.teacher


@pytest.mark.parametrize('path', PATHS.values(), ids=PATHS)
def test_names_say_what_is_inside(path):
    cfg = Config.fromfile(path)
    sizes = re.findall(r'-(\d+)x\1', path.stem)
    segmentor = cfg.model.get('segmentor', cfg.model)
    side = int(sizes[0])
    assert set(sizes) == {str(side)}
    assert segmentor.data_preprocessor.size == (side, side)
    assert (segmentor.type == 'mic_mm.HRDAEncoderDecoder') == (side == 1024)
    assert segmentor.backbone.type == (
        'ResNetV1c' if 'r101' in path.stem else 'mic_mm.MixVisionTransformer')
    is_plain = path.stem.startswith(('source-only', 'oracle'))
    assert is_plain == ('segmentor' not in cfg.model)
    crops = re.findall(r"'crop_size': \((\d+), \1\)", str(
        cfg.train_dataloader.to_dict()))
    assert set(crops) == {str(side)}
    assert ('PhotoMetricDistortion' in str(cfg.train_dataloader)) == is_plain
    # what has become part of the model must not look like a setting
    assert cfg.get('uda') is None and cfg.get('mic') is None


# In millions: SegFormer, table 6; ResNet-101 of He et al. is 44.5 with its
# classifier of 2.05, the stem of three convolutions adds 0.02.
@pytest.mark.parametrize('network, millions', [('daformer_mit-b5', 81.4),
                                               ('dlv2_r101-d8', 42.5)])
def test_networks_have_the_published_size(network, millions):
    cfg = Config.fromfile(
        ROOT / 'configs' / '_base_' / 'models' / f'{network}.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        backbone = MODELS.build(
            dict(cfg.model.backbone, init_cfg=None, _scope_='mmseg'))
    parameters = sum(p.numel() for p in backbone.parameters())
    assert round(parameters / 1e6, 1) == millions


def mentioned(readme):
    """Full names of the configs in the tables of a folder's README."""
    text = readme.read_text()
    tails = dict(re.findall(r'`(…\w*)` (?:stands )?for\s+`(\S+?)\.py`', text))
    names = re.findall(r'`((?:[\w-]+_)[\w…-]+?)(?:\.py)?`', text)
    for name in names:
        head, dots, size = name.partition('…')
        yield head + tails[dots + size] if dots else name


@pytest.mark.parametrize('readme', READMES[1:], ids=lambda p: p.parent.name)
def test_the_readme_of_a_folder_lists_its_configs(readme):
    names = {n for n in mentioned(readme) if '1xb2' in n}
    assert {n for n in names if not n.startswith('_')} == {
        path.stem for path in readme.parent.glob('*.py')}


def commands():
    """The training commands of the READMEs, loops unrolled."""
    for readme in READMES:
        for block in re.findall('```bash\n(.*?)```', readme.read_text(), re.S):
            block = block.replace('\\\n', ' ')
            variables = dict(re.findall(r'^(\w+)=(\S+)$', block, re.M))
            loops = {
                name: values.split()
                for name, values in re.findall(r'for (\w) in ([^;]*);', block)
            }
            for line in re.findall(r'python tools/train\.py (.*)', block):
                for values in itertools.product(*loops.values()):
                    known = {**variables, **dict(zip(loops, values))}
                    yield re.sub(r'\$(\w+?)(?=\W|_|$)',
                                 lambda m: known[m[1]], line)


def test_commands_of_the_readmes_can_be_run(monkeypatch):
    parser = argparse.ArgumentParser()
    cli.add_config_arguments(parser)
    cli.add_run_arguments(parser)
    parser.add_argument('--resume', nargs='?', const='auto')
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv('LOCAL_RANK', '0')
    masks = set()
    for command in commands():
        cfg = cli.load_config(parser.parse_args(shlex.split(command)))
        if 'init_cfg=None' in command:
            backbone = cfg.model.get('segmentor', cfg.model).backbone
            assert backbone.init_cfg is None
        if 'mask' in command:
            mic = MODELS.build(cfg.model.objectives.mic)
            assert mic.mask.grid((512, 512))
            masks.add((mic.mask.block_size, mic.mask.ratio))
            assert f'b{mic.mask.block_size}-r{mic.mask.ratio}' in cfg.work_dir
    assert masks == set(
        itertools.product((16, 32, 64, 128), (0.3, 0.5, 0.7, 0.9)))

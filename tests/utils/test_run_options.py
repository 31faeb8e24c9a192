# Copyright (c) mic_mm authors. All rights reserved.
"""What --resume and hooks that are None become in the config."""
import pytest
import torch
from mmengine import Config
from mmengine.model import BaseModel

from mic_mm.registry import MODELS
from mic_mm.utils import cli


@pytest.fixture
def checkpoint():
    """Write a checkpoint of a run."""

    def write(path):
        path.parent.mkdir(exist_ok=True)
        state = dict(a=torch.zeros(1))
        torch.save(dict(meta={}, message_hub={}, optimizer={}, state_dict=state), path)
        return str(path)

    return write


def test_auto_starts_from_load_from_where_there_is_nothing_to_resume(checkpoint, tmp_path):
    start = checkpoint(tmp_path / 'start.pth')
    cfg = Config(dict(work_dir=str(tmp_path / 'run'), load_from=start))
    cli.set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, start)


def test_auto_prefers_the_latest_checkpoint_to_load_from(checkpoint, tmp_path):
    start = checkpoint(tmp_path / 'start.pth')
    latest = checkpoint(tmp_path / 'run' / 'iter_2.pth')
    (tmp_path / 'run' / 'last_checkpoint').write_text(latest)
    cfg = Config(dict(work_dir=str(tmp_path / 'run'), load_from=start))
    cli.set_resume(cfg, 'auto')
    assert cfg.resume and cfg.load_from in (None, latest)


@pytest.mark.parametrize('original_stays', [True, False])
def test_auto_resumes_a_folder_that_was_moved_or_copied(original_stays, checkpoint, tmp_path):
    original = tmp_path / 'original' / 'iter_2.pth'
    if original_stays:
        checkpoint(original)
    here = checkpoint(tmp_path / 'here' / 'iter_2.pth')
    (tmp_path / 'here' / 'last_checkpoint').write_text(str(original))
    cfg = Config(dict(work_dir=str(tmp_path / 'here')))
    cli.set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (True, here)


def test_hooks_of_ours_and_of_mmengine_can_be_switched_off(tmp_path):
    hooks = dict(timer=None, uda_visualization=None)
    model = dict(type='mic_mm.ModelOfNothing')
    cfg = Config(dict(model=model, work_dir=str(tmp_path), default_hooks=hooks))
    runner = cli.build_runner(cfg)
    kinds = [type(hook).__name__ for hook in runner.hooks]
    assert 'IterTimerHook' not in kinds and 'LoggerHook' in kinds


@pytest.mark.parametrize('switch, kind', [
    ('model.objectives.mci', 'objective'),
    ('model.objectives.joint.terms.cdann', 'term'),
    ('model.objectives.join.terms.cdan', 'term'),
    ('default_hooks.ema', 'hook'),
])
def test_switches_of_what_is_not_there_are_refused(switch, kind, tmp_path):
    path = tmp_path / 'config.py'
    objectives = dict(mic=dict(), joint=dict(terms=dict(cdan=dict())))
    Config(dict(model=dict(objectives=objectives), default_hooks=dict(ema_teacher=dict()))).dump(
        path)
    off = {
        'model.objectives.mic': None,
        'model.objectives.joint.terms.cdan': None,
        'default_hooks.ema_teacher': None,
        'default_hooks.timer': None,
        'randomness.seed': None
    }
    assert cli.read_config(str(path), off).default_hooks.ema_teacher is None
    with pytest.raises(cli.UsageError, match=rf'{switch}=None: the config has no such {kind}'):
        cli.read_config(str(path), {switch: None})


@MODELS.register_module()
class ModelOfNothing(BaseModel):

    def forward(self, inputs, mode):
        return {}

# Copyright (c) mic_mm authors. All rights reserved.
"""The page of switches says what the code does."""
import importlib.util
from pathlib import Path

import pytest

from mic_mm import registry
from mic_mm.core import Objective, PseudoLabeller

DOCS = Path(__file__).parents[2] / 'docs'


@pytest.fixture(scope='module')
def switches():
    spec = importlib.util.spec_from_file_location('switches', DOCS / 'scripts' / 'switches.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def listed(switches):
    return {name for places in switches.SECTIONS.values() for _, names in places for name in names}


def test_page_is_what_the_code_says(switches):
    assert switches.PAGE.read_text() == switches.page(), (
        'Write the page anew: python docs/scripts/switches.py')


@pytest.mark.parametrize('row', [
    '| `ratio` | `0.7` | Expected share $r$ of removed blocks',
    '| `alpha` | `0.999` | Largest weight of the old teacher, in [0, 1).',
    '| `mask` | required | The mask generator',
    "| `predict_on` | `'student'` |",
])
def test_page_has_default_and_meaning(switches, row):
    assert row in switches.page()


def test_reason_of_a_default_is_kept_and_a_bare_default_is_not(switches):
    text = 'Width. Defaults to 64, as in X.'
    assert switches.to_markdown(text) == text
    assert switches.to_markdown('Width. Defaults to 64.') == 'Width.'


def test_all_objectives_and_labellers_are_listed(switches, listed):
    objectives = {name for name in switches.types_of(registry.MODELS)
                  if issubclass(registry.MODELS.module_dict[name], Objective)}
    labellers = {name for name in switches.types_of(registry.TASK_UTILS)
                 if issubclass(registry.TASK_UTILS.module_dict[name], PseudoLabeller)}
    assert len(objectives) >= 10 and len(labellers) == 3
    assert objectives | labellers <= listed


def test_all_hooks_and_loops_are_listed(switches):
    headings = {line[4:] for line in switches.page().splitlines() if line.startswith('### ')}
    assert {'mic_mm.EMATeacherHook', 'mic_mm.StudentTeacherValLoop', 'mic_mm.SAMOptimWrapper',
            'mic_mm.DomainPairSampler', 'mic_mm.UDADistributedDataParallel'} <= headings

# Copyright (c) mic_mm authors. All rights reserved.
"""Files that would run code are refused before MMEngine reads them."""
import os
import pickle
import re
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader

from mic_mm.core.pretrained_check import check_pretrained
from mic_mm.utils.checkpoint_file import (
    TRUST,
    CheckpointError,
    check_checkpoint_file,
    check_harmless,
    read_checkpoint,
)


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder), )


class Chain:
    """Reaches any function through attributes of a type that is allowed."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


class Own:
    """A type of a user, with a state."""


def saved(tmp_path, **others):
    state = dict(w=torch.ones(2))
    torch.save(dict(state_dict=state, meta={}, optimizer={}, **others),
               tmp_path / 'a.pth')
    return tmp_path / 'a.pth'


@pytest.fixture(autouse=True)
def untrusted(monkeypatch):
    monkeypatch.delenv(TRUST, raising=False)


def test_code_is_named_and_not_run(tmp_path):
    path = saved(tmp_path, message_hub=Harmful(tmp_path / 'made'))
    with pytest.raises(CheckpointError, match=r'mkdir besides its weights.*'
                       f'{TRUST}=1.*publish_model.py'):
        check_checkpoint_file(path)
    with pytest.raises(CheckpointError, match='mkdir'):
        check_harmless(path)
    assert not (tmp_path / 'made').exists()
    assert list(read_checkpoint(path)['state_dict']) == ['w']
    assert not (tmp_path / 'made').exists()


def test_the_file_that_is_refused_would_have_run_in_mmengine(tmp_path):
    path = saved(tmp_path, message_hub=Harmful(tmp_path / 'made'))
    CheckpointLoader.load_checkpoint(str(path), 'cpu')
    assert (tmp_path / 'made').exists()


def test_attributes_of_allowed_types_lead_nowhere(tmp_path):
    with pytest.raises(CheckpointError, match="getattr.*'__init__'"):
        check_checkpoint_file(saved(tmp_path, message_hub=Chain()))


def test_a_whole_network_is_refused(tmp_path):
    torch.save(torch.nn.Linear(1, 1), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='modules.linear.Linear'):
        check_harmless(tmp_path / 'a.pth')


def test_logs_of_mmengine_are_harmless(tmp_path):
    hub = MessageHub.get_instance('harmless')
    for value in (1., torch.tensor(2.), np.float32(3)):
        hub.update_scalar('train/loss', value)
    hub.update_info('scalar', np.float64(1))
    hub.update_info('array', np.arange(3))
    path = saved(tmp_path, message_hub=hub.state_dict())
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    check_checkpoint_file(path, to_resume=True)


@pytest.mark.parametrize('value', [
    {1}, frozenset({1}), 1j, bytearray(b'1'), Counter('aab'), range(3), slice(3),
    defaultdict(list, a=[1])
], ids=lambda value: type(value).__name__)
def test_plain_values_beside_the_log_are_harmless(value, tmp_path):
    hub = MessageHub.get_instance('plain_values')
    hub.update_scalar('train/loss', 1.)
    path = saved(tmp_path, message_hub=hub.state_dict(), value=value)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    check_checkpoint_file(path, to_resume=True)
    content = CheckpointLoader.load_checkpoint(str(path), 'cpu')
    assert content['value'] == value


def test_a_factory_of_defaults_is_no_hiding_place(tmp_path):
    path = saved(tmp_path, value=defaultdict(os.getcwd))
    with pytest.raises(CheckpointError, match='getcwd besides'):
        check_checkpoint_file(path)


@pytest.mark.parametrize('name', [b'numpy.core.multiarray',
                                  b'numpy._core.multiarray'])
def test_arrays_of_numpy_1_and_2_are_harmless(name, tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(w=torch.ones(1), a=np.arange(3)), path,
               _use_new_zipfile_serialization=False)
    content, count = re.subn(rb'numpy\._?core\.multiarray', name,
                             path.read_bytes())
    assert count == 1
    path.write_bytes(content)
    check_harmless(path)


def test_types_that_the_user_allows_pass(tmp_path):
    path = saved(tmp_path, message_hub=Own())
    with pytest.raises(CheckpointError, match='Own besides'):
        check_checkpoint_file(path)
    torch.serialization.add_safe_globals([Own])
    try:
        check_checkpoint_file(path, to_resume=True)
        # The log, which PyTorch itself refuses, beside them.
        hub = MessageHub.get_instance('allowed')
        hub.update_scalar('train/loss', 1.)
        path = saved(tmp_path, message_hub=[Own(), hub.state_dict()])
        check_checkpoint_file(path)
    finally:
        torch.serialization.clear_safe_globals()


def test_trusted_files_pass(tmp_path, monkeypatch):
    monkeypatch.setenv(TRUST, '1')
    check_checkpoint_file(saved(tmp_path, message_hub=Own()))


@pytest.mark.parametrize('converts', [False, True])
def test_pretrained_weights_are_checked(converts, tmp_path):
    path = saved(tmp_path, message_hub=Harmful(tmp_path / 'made'))
    module = BaseModule(dict(type='Pretrained', checkpoint=str(path)))
    module.convert_weights = converts
    with pytest.raises(CheckpointError, match='mkdir'):
        check_pretrained(module)
    assert not (tmp_path / 'made').exists()

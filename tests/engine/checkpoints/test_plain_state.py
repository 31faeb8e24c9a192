# Copyright (c) mic_mm authors. All rights reserved.
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mic_mm.engine.checkpoints import from_plain, to_plain


def through_a_file(value, path):
    torch.save(to_plain(value), path)
    return from_plain(torch.load(path, weights_only=True))


def test_log_history_survives(tmp_path):
    buffer = HistoryBuffer([0.1, 0.2, 0.3], [1, 2, 1], max_length=3)
    read = through_a_file(dict(loss=buffer), tmp_path / 'a')['loss']
    for ours, theirs in zip(read.data, buffer.data):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert read.max_length == 3
    read.update(0.4)
    assert read.data[0].tolist() == [0.2, 0.3, 0.4]
    assert read.statistics('current') == 0.4


@pytest.mark.parametrize('array', [
    np.arange(6).reshape(2, 3),
    np.float32([1.5, np.nan]),
    np.array([], dtype=np.float64),
    np.array([True, False])
])
def test_arrays_survive(array, tmp_path):
    read = through_a_file([array], tmp_path / 'a')[0]
    assert isinstance(read, np.ndarray) and read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_numbers_of_numpy_become_numbers(tmp_path):
    read = through_a_file(
        dict(best=np.float64(0.1), step=np.int64(3), flag=np.bool_(True)),
        tmp_path / 'a')
    assert read == dict(best=0.1, step=3, flag=True)
    assert [type(v) for v in read.values()] == [float, int, bool]


def test_containers_become_plain_ones_and_keep_their_order(tmp_path):
    value = OrderedDict(
        a=ConfigDict(b=dict(c=(1, [2]))),
        d=deque([3, 4]),
        e=defaultdict(list, f=['g']),
        h=np.array(['i', 'j']))
    read = through_a_file(value, tmp_path / 'a')
    assert type(read) is OrderedDict and list(read) == ['a', 'd', 'e', 'h']
    assert read == dict(a=dict(b=dict(c=(1, [2]))), d=[3, 4], e=dict(f=['g']), h=['i', 'j'])
    assert type(read['a']) is dict


def test_plain_values_and_tensors_are_the_same_objects():
    tensor = torch.ones(2)
    state = {0: dict(step=tensor), 'sizes': torch.Size([2]), 'none': None}
    assert to_plain(state) == state
    assert to_plain(state)[0]['step'] is tensor


def test_the_state_is_left_as_it_is():
    state = dict(a=dict(loss=HistoryBuffer([1.], [1])))
    to_plain(state)
    assert isinstance(state['a']['loss'], HistoryBuffer)


def test_other_objects_are_kept_and_named(monkeypatch):
    messages = []
    monkeypatch.setattr('mic_mm.engine.checkpoints.plain_state.print_log',
                        lambda message, **kwargs: messages.append(message))
    kept = object()
    assert to_plain(dict(a=[kept]), 'message_hub') == dict(a=[kept])
    assert messages[0].startswith('message_hub.a is a object')


def test_objects_of_other_checkpoints_are_left_alone():
    buffer, other = HistoryBuffer([1.], [1]), defaultdict(list, a=[1])
    state = from_plain(dict(b=buffer, o=other))
    assert state['b'] is buffer and state['o'] is other

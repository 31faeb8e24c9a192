# Copyright (c) mic_mm authors. All rights reserved.
import os

import numpy as np
import pytest
import torch

from mic_mm.utils.checkpoint_file import read_checkpoint, save_weights


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder), )


def test_what_is_saved_is_read_with_weights_only(tmp_path):
    table = torch.arange(12.).view(3, 4)
    meta = dict(classes=('a', 'b'), iter=3, array=np.zeros(2), odd=object())
    save_weights(tmp_path / 'sub' / 'a.pth', {'w': table[1]}, meta)
    content = torch.load(tmp_path / 'sub' / 'a.pth', weights_only=True)
    assert torch.equal(content['state_dict']['w'], table[1])
    assert content['state_dict']['w'].untyped_storage().size() == 4 * 4
    assert content['meta'] == dict(classes=('a', 'b'), iter=3)
    assert read_checkpoint(tmp_path / 'sub' / 'a.pth').keys() == {
        'meta', 'state_dict'
    }


def test_objects_are_not_made(tmp_path):
    torch.save(
        {
            'state_dict': {'w': torch.ones(2)},
            'meta': {'iter': 5},
            'log': Harmful(tmp_path / 'made'),
            'scalar': np.float64(1),
        }, tmp_path / 'a.pth')
    content = read_checkpoint(tmp_path / 'a.pth')
    assert torch.equal(content['state_dict']['w'], torch.ones(2))
    assert content['meta'] == {'iter': 5}
    assert not (tmp_path / 'made').exists()


def test_bare_weights_are_a_checkpoint(tmp_path):
    torch.save({'w': torch.ones(2)}, tmp_path / 'a.pth')
    assert list(read_checkpoint(tmp_path / 'a.pth')['state_dict']) == ['w']


@pytest.mark.parametrize('content', [{}, {'state_dict': {}}, {'w': 1}, [1],
                                     {'state_dict': {'w': np.zeros(2)}}])
def test_files_without_weights_are_named(content, tmp_path):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='a.pth has no weights'):
        read_checkpoint(tmp_path / 'a.pth')


@pytest.mark.parametrize('cut', [0, 40, 300])
def test_damaged_files_are_named(cut, tmp_path):
    torch.save({'w': torch.ones(1000)}, tmp_path / 'a.pth')
    path = tmp_path / 'b.pth'
    path.write_bytes((tmp_path / 'a.pth').read_bytes()[:cut])
    with pytest.raises(ValueError, match='b.pth is no checkpoint'):
        read_checkpoint(path)
    with pytest.raises(FileNotFoundError, match='c.pth does not exist'):
        read_checkpoint(tmp_path / 'c.pth')

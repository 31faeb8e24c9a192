# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch


@pytest.fixture(scope='module')
def one_thread():
    """Round as processes of one thread do.

    A two-stage detector ranks proposals: a score that rounds differently may
    change which of them are used.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)

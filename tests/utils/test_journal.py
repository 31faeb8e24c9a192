# Copyright (c) mic_mm authors. All rights reserved.
import os

import pytest

from mic_mm.utils.journal import Journal, file_state

JOB = dict(classes=3)


@pytest.fixture
def path(tmp_path):
    """A journal of an interrupted job, with two results."""
    path = tmp_path / 'work' / 'journal'
    journal = Journal(path, JOB)
    journal.add('a', [1, 2], dict(pixels=5))
    journal.add('b', None, [7])
    journal.close(remove=False)
    return path


def test_results_are_found_again(path):
    journal = Journal(path, JOB)
    assert journal.get('a', [1, 2]) == dict(pixels=5)
    assert journal.get('b', None) == [7]
    assert journal.get('c', None) is None


def test_results_of_a_changed_file_are_not_used(path):
    assert Journal(path, JOB).get('a', [1, 3]) is None


def test_results_of_another_job_are_not_used(path):
    assert Journal(path, dict(classes=4)).get('a', [1, 2]) is None


def test_line_that_was_being_written_is_dropped_and_the_rest_kept(path):
    with path.open('a') as file:
        file.write('{"key": "d", "sta')
    journal = Journal(path, JOB)
    journal.add('e', 0, 1)
    journal.close(remove=False)
    again = Journal(path, JOB)
    assert [again.get(*k) for k in (('a', [1, 2]), ('d', None), ('e', 0))
            ] == [dict(pixels=5), None, 1]


def test_result_is_on_disk_before_the_journal_is_closed(tmp_path):
    journal = Journal(tmp_path / 'journal', JOB)
    journal.add('a', 0, 1)
    assert Journal(tmp_path / 'journal', JOB).get('a', 0) == 1


def test_removed_journal_is_gone(path):
    Journal(path, JOB).close(remove=True)
    assert not path.exists()


def test_journal_without_results_is_left_if_something_is_missing(tmp_path):
    Journal(tmp_path / 'journal', JOB).close(remove=False)
    assert (tmp_path / 'journal').is_file()


def test_state_of_a_file_changes_with_its_size_and_time(tmp_path):
    file = tmp_path / 'image.png'
    assert file_state(file) is None
    file.write_bytes(b'abc')
    first = file_state(file)
    assert first[0] == 3
    os.utime(file, ns=(0, 17))
    assert file_state(file) == [3, 17] != first


def test_closed_journal_goes_on_with_all_results(path):
    journal = Journal(path, JOB)
    journal.add('c', 0, 1)
    journal.close(remove=False)
    journal.add('d', 0, 2)
    journal.close(remove=False)
    again = Journal(path, JOB)
    assert [again.get('a', [1, 2]), again.get('c', 0), again.get('d', 0)
            ] == [dict(pixels=5), 1, 2]

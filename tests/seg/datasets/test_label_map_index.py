# Copyright (c) mic_mm authors. All rights reserved.
import pytest

from mic_mm.seg.datasets.label_map_index import LabelMapIndex


def test_files_are_found_by_name_wherever_they_were():
    index = LabelMapIndex(['new/labels/1.png', 'new/labels/2.png'])
    assert index.find('old/folder/2.png') == 1
    assert index.find('2.png') == 1
    assert index.find('labels/3.png') is None


def test_folders_tell_files_of_one_name_apart():
    index = LabelMapIndex(['root/ulm/1.png', 'root/bonn/1.png'])
    assert index.find('/elsewhere/bonn/1.png') == 1
    assert index.find('/elsewhere/ulm/1.png') == 0


def test_an_ambiguous_file_is_refused():
    index = LabelMapIndex(['root/ulm/1.png', 'root/bonn/1.png'])
    with pytest.raises(ValueError, match='1.png may belong.*ulm.*bonn'):
        index.find('1.png')

# Copyright (c) mic_mm authors. All rights reserved.
"""What the converters of the classification benchmarks share."""
from .class_folders import Sample, check_same_classes, find_folder, find_samples
from .command_line import convert_folders, make_parser
from .image_check import ImageCheck
from .list_files import parse_list, report, write_list

__all__ = [
    'ImageCheck', 'Sample', 'check_same_classes', 'convert_folders',
    'find_folder', 'find_samples', 'make_parser', 'parse_list', 'report',
    'write_list'
]

# Copyright (c) mic_mm authors. All rights reserved.
"""Validation and test of both networks of a UDA model."""
from .student_teacher_loops import StudentTeacherTestLoop, StudentTeacherValLoop

__all__ = ['StudentTeacherTestLoop', 'StudentTeacherValLoop']

# Copyright (c) mic_mm authors. All rights reserved.
from .confusion_matrix import class_ious, class_recalls, confusion_matrix
from .confusion_matrix_figure import draw_confusion_matrix
from .per_class_accuracy import PerClassAccuracy

__all__ = [
    'PerClassAccuracy', 'class_ious', 'class_recalls', 'confusion_matrix',
    'draw_confusion_matrix'
]

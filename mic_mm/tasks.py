# Copyright (c) mic_mm authors. All rights reserved.
"""Imports the task rooms whose library is installed.

The types of a room whose library is missing are registered as placeholders,
so that a config which uses one fails with what to install rather than with an
unknown type.
"""
from __future__ import annotations

import importlib
import importlib.util

from mic_mm.registry import DATASETS, METRICS, MODELS, TASK_UTILS, TRANSFORMS
from mic_mm.utils.import_notices import without_import_notices

# room -> (library, distributions, registry -> types)
TASK_ROOMS = {
    'seg': ('mmseg', 'mmsegmentation (or onedl-mmsegmentation)', {
        MODELS: ('ASPPFusion', 'ClassMixSelfTraining', 'ConvFusion',
                 'DAFormerHead', 'DLV2Head', 'EntropyMinimization',
                 'FeatureDistance', 'HRDAEncoderDecoder', 'HRDAHead',
                 'ISAFusion', 'LinearEmbedding', 'MixVisionTransformer',
                 'OutputSpaceAlignment', 'PixelDiscriminator',
                 'SegSourceSupervision', 'UDASegmentor'),
        TASK_UTILS: ('PixelLabeller', ),
        DATASETS: ('ACDCDataset', 'DarkZurichDataset', 'GTADataset',
                   'RareClassSampling', 'SYNTHIADataset'),
        TRANSFORMS: ('CheckLabels', 'PackUDASegInputs',
                     'PseudoLabelMargins'),
        METRICS: ('DomainIoUMetric', 'PredictionExport'),
    }),
    'cls': ('mmpretrain', 'mmpretrain (or onedl-mmpretrain)', {
        MODELS: ('UDAClassifier', 'ConditionalAdversarial',
                 'DomainAdversarial', 'JointSupervision',
                 'MinimumClassConfusion'),
        TASK_UTILS: ('ClassLabeller', ),
        DATASETS: ('ClassificationDataset', 'Office31', 'OfficeHome',
                   'VisDA2017'),
        METRICS: ('PerClassAccuracy', ),
    }),
    'det': ('mmdet', 'mmdet (or onedl-mmdetection)', {
        MODELS: ('DomainAdversarialDetection', 'ImageDomainHead',
                 'InclusiveBBoxHead', 'InclusiveRoIExtractor',
                 'InstanceDomainHead', 'PseudoBoxAdversarialDetection',
                 'SADARPNHead', 'SADARoIHead',
                 'UDADetector'),
        TASK_UTILS: ('BoxLabeller', 'InclusiveBoxCoder',
                     'InclusiveOverlaps2D', 'KeySampler', 'OwnBestAssigner',
                     'QuantizedAnchorGenerator', 'StudentConfidence'),
        TRANSFORMS: ('InclusiveBoxes', ),
        DATASETS: ('DomainCocoDataset', ),
        METRICS: ('DomainCocoMetric', 'DomainVOCMetric', 'PseudoBoxMetric'),
    }),
}


def _placeholder(type_name: str, library: str, distributions: str) -> type:
    message = (f"type='mic_mm.{type_name}' needs the library {library}, "
               f'which is not installed. Install {distributions}, e.g. with '
               '`bash tools/setup_env.sh` or mim.')

    def __init__(self: object, *args: object, **kwargs: object) -> None:
        raise ImportError(message)

    return type(type_name, (), {'__init__': __init__, '__doc__': message})


def _import_or_replace(room: str) -> None:
    library, distributions, types = TASK_ROOMS[room]
    # Not `except ImportError`: a broken library must not look like a missing
    # one.
    if importlib.util.find_spec(library) is not None:
        with without_import_notices():
            importlib.import_module(f'mic_mm.{room}')
        return
    for registry, names in types.items():
        for name in names:
            registry.register_module(
                name=name, module=_placeholder(name, library, distributions))


for _room in TASK_ROOMS:
    _import_or_replace(_room)

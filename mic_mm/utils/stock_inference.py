# Copyright (c) mic_mm authors. All rights reserved.
"""The inferencers of the libraries, on what mic_mm trained.

A config of mic_mm goes to the inferencer of its library as it is: the types
are found by their prefix.  What a config of a training lacks for that, the
library's own visualizer and colours of the classes, is added here.
"""
from __future__ import annotations

import copy
import importlib
import importlib.util
from collections import Counter
from typing import Any, Optional

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from torch import nn

from mic_mm.core import UDAModel
from mic_mm.registry import DATASETS
from mic_mm.visualization.palette import class_colors

from .checkpoint_file import check_checkpoint_file, read_checkpoint
from .pictures import Picture
from .plain_export import (
    evaluated_dataset,
    is_plain,
    is_wrapper,
    plain_weights,
    predicting_branch,
)
from .predictions import use_library_visualizer
from .strict_loading import load_strictly
from .weight_names import unwrapped_names

INFERENCERS = {
    'mmseg': 'MMSegInferencer',
    'mmdet': 'DetInferencer',
    'mmpretrain': 'ImageClassificationInferencer',
}
# MMPretrain writes the label into the image: smaller ones are enlarged.
_READABLE = 256


class StockInference:
    """Predicts and draws with the inferencer of a library.

    Args:
        library (str): ``'mmseg'``, ``'mmdet'`` or ``'mmpretrain'``.
        cfg (Config): Config of a run of mic_mm, or of the library. It is not
            changed.
        checkpoint (str): Path or address of its checkpoint.
        branch (str, optional): ``'student'`` or ``'teacher'``. Defaults to
            None: ``model.predict_on`` of the config, else the student.
        device (str, optional): Defaults to None, a GPU if there is one.
        **drawing: Options of ``visualize`` of the inferencer, e.g.
            ``opacity`` (mmseg) or ``pred_score_thr`` (mmdet).

    Raises:
        ImportError: If the library is missing.
        FileNotFoundError: If there is no checkpoint.
        ValueError: If config and library, or config and checkpoint, do not
            fit.
    """

    def __init__(self,
                 library: str,
                 cfg: Config,
                 checkpoint: str,
                 branch: Optional[str] = None,
                 device: Optional[str] = None,
                 **drawing: Any) -> None:
        _check_library(library, cfg)
        self.library = library
        self.drawing = drawing
        cfg = _prepared(cfg, branch)
        check_checkpoint_file(checkpoint)  # the inferencer reads it as well
        content = {} if '://' in checkpoint else read_checkpoint(checkpoint)
        weights = _selected(content.get('state_dict'), cfg)
        self.inferencer = _build(library, cfg, checkpoint, device)
        if weights is not None:
            network = self.inferencer.model
            if isinstance(network, UDAModel):
                network = network.predictor
            load_strictly(network, weights, checkpoint)
        self.classes = self._name_classes(cfg, content.get('meta') or {})

    @property
    def model(self) -> nn.Module:
        """The model of the inferencer."""
        return self.inferencer.model

    def predict(self, picture: Picture) -> Any:
        """The data sample of the library with the prediction."""
        given = picture.pixels if picture.path is None else str(picture.path)
        batch, = self.inferencer.preprocess([given], batch_size=1)
        if self.library == 'mmdet':
            # pairs of what was given and the batch
            _, batch = batch
        sample, = self.inferencer.forward(batch)
        return sample

    def draw(self, picture: Picture, sample: Any) -> np.ndarray:
        """The prediction on its picture, RGB."""
        image = np.ascontiguousarray(picture.pixels[..., ::-1])
        if self.library == 'mmpretrain':
            return self._draw_class(image, picture.name, sample)
        drawn, = self.inferencer.visualize([image], [sample],
                                           return_vis=True,
                                           **self.drawing)
        return drawn

    def summary(self, sample: Any) -> str:
        """A prediction in words."""
        if self.library == 'mmpretrain':
            score, label = sample.pred_score.max(0)
            return f'{self._name(int(label))} ({float(score):.2f})'
        if self.library == 'mmdet':
            minimum = self.drawing.get('pred_score_thr', 0.)
            labels = sample.pred_instances.labels[
                sample.pred_instances.scores > minimum]
            counts = Counter(map(self._name, labels.tolist()))
            return ', '.join(f'{count} {name}' for name, count in sorted(
                counts.items())) or 'nothing'
        labels, counts = sample.pred_sem_seg.data.unique(return_counts=True)
        shares = counts / counts.sum()
        return ', '.join(
            f'{self._name(label)} {share:.0%}' for share, label in sorted(
                zip(shares.tolist(), labels.tolist()), reverse=True)[:3])

    def _name(self, label: int) -> str:
        known = self.classes is not None and label < len(self.classes)
        return self.classes[label] if known else f'class {label}'

    def _draw_class(self, image: np.ndarray, name: str,
                    sample: Any) -> np.ndarray:
        # `visualize` of this inferencer gives pictures only if it also
        # writes or shows them.
        return self.inferencer.visualizer.visualize_cls(
            image,
            sample,
            classes=self.classes,
            resize=_READABLE if min(image.shape[:2]) < _READABLE else None,
            draw_gt=False,
            name=name,
            **self.drawing)

    def _name_classes(self, cfg: Config, meta: dict) -> Optional[list[str]]:
        known = {**_meta_of_dataset(cfg), **_lower(meta.get('dataset_meta'))}
        if not known.get('classes'):
            return None
        classes = list(known['classes'])
        palette = class_colors(len(classes), known.get('palette'))
        named = dict(classes=classes, palette=palette)
        self.inferencer.classes = classes
        if self.library == 'mmpretrain':
            self.inferencer.visualizer = _classification_visualizer()
        else:
            self.inferencer.visualizer.dataset_meta = named
            # MMSegmentation's takes it from there for each picture.
            self.model.dataset_meta = named
        return classes


def _check_library(library: str, cfg: Config) -> None:
    if importlib.util.find_spec(library) is None:
        raise ImportError(
            f'This needs {library}, which is not installed. Install it, e.g. '
            'with `bash tools/setup_env.sh` or mim.')
    scope = cfg.get('default_scope')
    if scope in INFERENCERS and scope != library:
        raise ValueError(f'The config is one of {scope} (default_scope), '
                         f'this is for {library}.')
    if cfg.get('model') is None or evaluated_dataset(cfg) is None:
        raise ValueError(
            'The config has no model or no test_dataloader with a pipeline: '
            'it is a part of others (_base_), or of a training only.')


def _prepared(cfg: Config, branch: Optional[str]) -> Config:
    cfg = copy.deepcopy(cfg)  # Config.copy is shallow
    # Where the inferencers look.
    cfg.test_dataloader.dataset = evaluated_dataset(cfg)
    use_library_visualizer(cfg)
    # Pictures are written by the caller; a backend would open a run in
    # TensorBoard or Weights & Biases.
    cfg.visualizer.vis_backends = None
    if is_wrapper(cfg) and branch is not None:
        cfg.model.predict_on = branch
    elif branch == 'teacher':
        raise ValueError(
            f'The model of the config, type={cfg.model.get("type")!r}, has no '
            'teacher. Leave the branch out.')
    return cfg


def _selected(state_dict: Optional[dict], cfg: Config) -> Optional[dict]:
    """Weights of what predicts, of a checkpoint of mic_mm or a plain one."""
    branch = predicting_branch(cfg)
    if state_dict is None:
        return None
    if is_plain(state_dict) and branch == 'student':
        return unwrapped_names(state_dict)
    if not is_plain(state_dict) and not is_wrapper(cfg):
        raise ValueError(
            'The checkpoint is one of mic_mm, with student or teacher, but '
            'the config is that of the plain model. Give the config of the '
            'training, or export both with tools/model_converters/'
            'to_plain.py.')
    return plain_weights(state_dict, branch)


def _build(library: str, cfg: Config, checkpoint: str,
           device: Optional[str]) -> Any:
    kind = getattr(
        importlib.import_module(f'{library}.apis'), INFERENCERS[library])
    with DefaultScope.overwrite_default_scope(library):
        return kind(cfg, checkpoint, device=device)


def _classification_visualizer() -> Any:
    return importlib.import_module(
        'mmpretrain.visualization').UniversalVisualizer()


def _meta_of_dataset(cfg: Config) -> dict:
    """Classes and palette of the test data, whose files need not exist."""
    dataset = evaluated_dataset(cfg)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        with DATASETS.switch_scope_and_registry(None) as registry:
            kind = registry.get(dataset.type)
    own = dataset.get('metainfo') or ConfigDict()
    found = {**getattr(kind, 'METAINFO', {}), **own}
    # A name of a file is for the data set to read.
    return {k: v for k, v in _lower(found).items() if not isinstance(v, str)}


def _lower(meta: Optional[dict]) -> dict:
    return {str(key).lower(): value for key, value in (meta or {}).items()}

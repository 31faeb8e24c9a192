# Copyright (c) mic_mm authors. All rights reserved.
"""Draws what the objectives train on."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from PIL import Image

from mic_mm.registry import HOOKS
from mic_mm.visualization import PanelStyle, draw_panels
from mic_mm.visualization.panels import PANEL_FOLDER

from .ema_teacher_hook import uda_model


@HOOKS.register_module()
class UDAVisualizationHook(Hook):
    """Draws source, target, mixed and masked images with their labels.

    A picture is written every ``interval`` iterations and in the first
    iteration of each objective, to
    ``<work_dir>/<timestamp>/vis_data/uda_panels/<iteration>.png``, and given
    to the other backends of the runner's visualizer, such as TensorBoard.
    Only the main process draws.

    .. code-block:: python

        default_hooks = dict(
            uda_visualization=dict(
                type='mic_mm.UDAVisualizationHook', interval=1000))

    Args:
        interval (int): Iterations from one picture to the next. Defaults to
            1000, the interval of MIC.
        max_images (int): Images of the batch in a picture. Defaults to 4.
        tile_size (int): About the longer side of an image in the picture.
            Defaults to 160 pixels; nine of them fit beside each other.

    Raises:
        ValueError: If a number is not positive.
    """

    # After hooks that change the batch, and before the logger.
    priority = 'NORMAL'

    def __init__(self,
                 interval: int = 1000,
                 max_images: int = 4,
                 tile_size: int = 160) -> None:
        for name, value in dict(
                interval=interval, max_images=max_images,
                tile_size=tile_size).items():
            if value < 1:
                raise ValueError(
                    f'UDAVisualizationHook: {name}={value} must be positive. '
                    'To draw nothing, set default_hooks.uda_visualization='
                    'None (tools of mic_mm), or leave the hook out.')
        self.interval = interval
        self.max_images = max_images
        self.tile_size = tile_size

    @master_only
    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Let the objectives record their images, if this one is drawn."""
        model = uda_model(runner.model)
        begins = {objective.begin for objective in model.objectives.values()}
        model.record_panels = (
            self.every_n_train_iters(runner, self.interval)
            or runner.iter in begins)

    @master_only
    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Draw what was recorded, and let go of it."""
        model = uda_model(runner.model)
        if not model.record_panels:
            return
        panels, model.panels = model.panels, {}
        model.record_panels = False
        if panels:
            statistics = model.data_preprocessor.statistics
            picture = draw_panels(panels, statistics, self._style(runner))
            self._write(runner, picture)

    def _style(self, runner: Runner) -> PanelStyle:
        dataset = runner.train_dataloader.dataset
        return PanelStyle.of(
            getattr(dataset, 'metainfo', None),
            max_images=self.max_images,
            tile_size=self.tile_size)

    def _write(self, runner: Runner, picture: np.ndarray) -> None:
        step = runner.iter + 1
        folder = Path(runner.log_dir, 'vis_data', PANEL_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f'{step:06d}.png')
        for backend in runner.visualizer._vis_backends.values():
            # It would write the same file a second time.
            if not isinstance(backend, LocalVisBackend):
                backend.add_image(PANEL_FOLDER, picture, step)

# Copyright (c) mic_mm authors. All rights reserved.
"""What tools/test.py does with predictions besides evaluating them."""
from __future__ import annotations

from typing import Optional

from mmengine.config import Config, ConfigDict

from .cli import UsageError

# The metric that writes predictions; MMDetection's own packs masks.
_DUMPS = {'mmdet': 'mmdet.DumpDetResults'}


def save(cfg: Config, path: str) -> None:
    """Save the predictions to a pickle file.

    Raises:
        UsageError: If the path ends in something else.
    """
    if not path.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--out: {path!r} has to end in .pkl or .pickle.')
    dump = dict(
        type=_DUMPS.get(cfg.get('default_scope'), 'DumpResults'),
        out_file_path=path)
    evaluator = cfg.test_evaluator
    metrics = evaluator if isinstance(evaluator, list) else [evaluator]
    cfg.test_evaluator = [*metrics, dump]


def draw(cfg: Config, in_window: bool, folder: Optional[str],
         wait_time: float) -> None:
    """Turn on the visualization hook of the config's library.

    Each library's hook has names of its own for the same.

    Args:
        cfg (Config): Config of the run.
        in_window (bool): Show predictions in a window.
        folder (str, optional): Where to write them; relative to the work
            directory's time stamp in detection, as in MMDetection.
        wait_time (float): Seconds to show each image.

    Raises:
        UsageError: If the config has no such hook.
    """
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise UsageError(
            '--show and --show-dir need default_hooks.visualization in the '
            "config: dict(type='SegVisualizationHook'), "
            "'DetVisualizationHook' or 'VisualizationHook' (MMPretrain).")
    if hook.type.endswith('SegVisualizationHook'):
        hook.update(draw=True)
        if folder:
            cfg.setdefault('visualizer', _seg_visualizer()).save_dir = folder
    elif hook.type.endswith('DetVisualizationHook'):
        hook.update(draw=True, test_out_dir=folder)
    else:
        # Its default draws one image in 5000.
        hook.update(enable=True, interval=1, out_dir=folder)
    if in_window:
        hook.update(show=True, wait_time=wait_time)


def _seg_visualizer() -> ConfigDict:
    return ConfigDict(
        type='SegLocalVisualizer',
        name='visualizer',
        vis_backends=[dict(type='LocalVisBackend')])

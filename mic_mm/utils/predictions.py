# Copyright (c) mic_mm authors. All rights reserved.
"""What tools/test.py does with predictions besides evaluating them."""
from __future__ import annotations

from typing import Optional

from mmengine.config import Config, ConfigDict

from .cli import UsageError

# The metric that writes predictions; MMDetection's own packs masks.
_DUMPS = {'mmdet': 'mmdet.DumpDetResults'}
# What draws predictions in each library: hook and visualizer.
_DRAWING = {
    'mmseg': ('SegVisualizationHook', 'SegLocalVisualizer'),
    'mmdet': ('DetVisualizationHook', 'DetLocalVisualizer'),
    'mmpretrain': ('VisualizationHook', 'UniversalVisualizer'),
}


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
    """Draw the predictions with the hook and visualizer of the library.

    Each library's hook has names of its own for the same.

    Args:
        cfg (Config): Config of the run.
        in_window (bool): Show predictions in a window.
        folder (str, optional): Where to write them; below the work
            directory's time stamp in detection, as in MMDetection.
        wait_time (float): Seconds to show each image.

    Raises:
        UsageError: If the library is unknown and the config has no hook.
    """
    hook = _hook(cfg)
    if hook.type.endswith('SegVisualizationHook'):
        hook.update(draw=True)
        if folder:
            cfg.visualizer.save_dir = folder
    elif hook.type.endswith('DetVisualizationHook'):
        hook.update(draw=True, test_out_dir=folder)
    else:
        # Its default draws one image in 5000.
        hook.update(enable=True, interval=1, out_dir=folder)
    if in_window:
        hook.update(show=True, wait_time=wait_time)


def _hook(cfg: Config) -> ConfigDict:
    """The config's visualization hook, that of its library if it has none."""
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    scope = cfg.get('default_scope')
    if hooks.get('visualization') is None:
        if scope not in _DRAWING:
            raise UsageError(
                f'--show and --show-dir: default_scope={scope!r} of the '
                f'config is none of {list(_DRAWING)}. Set '
                'default_hooks.visualization and visualizer in the config.')
        hooks.visualization = ConfigDict(type=_DRAWING[scope][0])
    use_library_visualizer(cfg)
    return hooks.visualization


def use_library_visualizer(cfg: Config) -> None:
    """Put the library's visualizer in the place of MMEngine's.

    MMEngine's own cannot draw predictions.

    Args:
        cfg (Config): Is changed. One of another scope is left as it is.
    """
    visualizer = cfg.setdefault(
        'visualizer',
        ConfigDict(type='Visualizer',
                   vis_backends=[dict(type='LocalVisBackend')]))
    scope = cfg.get('default_scope')
    if visualizer.type == 'Visualizer' and scope in _DRAWING:
        visualizer.type = _DRAWING[scope][1]

# Copyright (c) mic_mm authors. All rights reserved.
"""Registry nodes of mic_mm.

Every node is a child of MMEngine's root node, so that ``type='mic_mm.X'`` in
any config of any OpenMMLab library imports this module, then the modules in
``locations``, and finds ``X``; the config's own ``default_scope`` stays as it
is.  Only MMEngine is imported here: an import error in a registry module is
swallowed by MMEngine and would surface as a misleading ``KeyError``.
"""
from mmengine import registry as mmengine_registry
from mmengine.registry import Registry

# Imported as a whole at the first look-up.  A task room whose library is not
# installed registers placeholders instead (mic_mm/utils/optional_tasks.py).
_LOCATIONS = ['mic_mm.core', 'mic_mm.engine', 'mic_mm.tasks']


def _node(name: str, parent: Registry) -> Registry:
    return Registry(name, parent=parent, scope='mic_mm', locations=_LOCATIONS)


RUNNERS = _node('runner', mmengine_registry.RUNNERS)
RUNNER_CONSTRUCTORS = _node('runner constructor',
                            mmengine_registry.RUNNER_CONSTRUCTORS)
LOOPS = _node('loop', mmengine_registry.LOOPS)
HOOKS = _node('hook', mmengine_registry.HOOKS)
STRATEGIES = _node('strategy', mmengine_registry.STRATEGIES)
DATASETS = _node('dataset', mmengine_registry.DATASETS)
DATA_SAMPLERS = _node('data sampler', mmengine_registry.DATA_SAMPLERS)
TRANSFORMS = _node('transform', mmengine_registry.TRANSFORMS)
MODELS = _node('model', mmengine_registry.MODELS)
MODEL_WRAPPERS = _node('model_wrapper', mmengine_registry.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _node('weight initializer',
                            mmengine_registry.WEIGHT_INITIALIZERS)
OPTIMIZERS = _node('optimizer', mmengine_registry.OPTIMIZERS)
OPTIM_WRAPPERS = _node('optim_wrapper', mmengine_registry.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _node(
    'optimizer wrapper constructor',
    mmengine_registry.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _node('parameter scheduler',
                         mmengine_registry.PARAM_SCHEDULERS)
METRICS = _node('metric', mmengine_registry.METRICS)
EVALUATOR = _node('evaluator', mmengine_registry.EVALUATOR)
TASK_UTILS = _node('task util', mmengine_registry.TASK_UTILS)
VISUALIZERS = _node('visualizer', mmengine_registry.VISUALIZERS)
VISBACKENDS = _node('vis_backend', mmengine_registry.VISBACKENDS)
LOG_PROCESSORS = _node('log_processor', mmengine_registry.LOG_PROCESSORS)
INFERENCERS = _node('inferencer', mmengine_registry.INFERENCERS)
FUNCTIONS = _node('function', mmengine_registry.FUNCTIONS)

# Copyright (c) mic_mm authors. All rights reserved.
"""The passes that are taken as the floor are those of the iteration."""
import torch

from mic_mm.benchmark import record, run_all
from mic_mm.benchmark.record_passes import is_network


def seen(passes):
    return [(p.objective, p.kind) for p in passes]


def test_passes_of_daformer(daformer):
    assert seen(record(daformer)) == [
        ('source', 'student'),
        ('source', 'frozen'),
        ('self_training', 'teacher'),
        ('self_training', 'student'),
        ('mic', 'student'),
    ]


def test_both_scales_of_hrda_are_one_pass(hrda):
    assert [kind for _, kind in seen(record(hrda))] == [
        'student', 'frozen', 'teacher', 'student', 'student'
    ]


def test_passes_of_sharpness_aware_training(sdat):
    passes = seen(record(sdat))
    student = [('joint', 'module')] * 2  # backbone, last layer
    discriminator = [('joint', 'module')]
    masked = [('mic', 'teacher'), ('mic', 'student')]
    assert passes == student + masked + student + discriminator + masked[1:]


def test_passes_give_the_gradient_of_the_iteration(dacs):
    model = dacs.model
    passes = record(dacs)
    gradients = []
    # Random draws change from one iteration to the next, hence the same one.
    model.iteration -= 1
    step = dacs.optim_wrapper.step
    dacs.optim_wrapper.step = lambda **kwargs: gradients.extend(
        p.grad.clone() for p in model.student.parameters())
    model.train_step(dacs.batch(), dacs.optim_wrapper)
    dacs.optim_wrapper.step = step

    run_all(passes)
    assert any(g.abs().max() > 0 for g in gradients)
    for gradient, parameter in zip(gradients, model.student.parameters()):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-5, atol=1e-6)


def test_teacher_runs_without_autograd_in_either_way(daformer):
    passes = record(daformer)
    teacher = [p for p in passes if p.kind == 'teacher'][0]
    modes = []
    handle = teacher.teacher.backbone.register_forward_hook(
        lambda *_: modes.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled())))
    teacher.run()
    teacher.run(library=True)
    handle.remove()
    assert modes == [(False, True), (False, False)]


def test_a_recorded_model_is_left_as_it_was(daformer):
    before = {name: dict(vars(module)) for name, module in daformer.model.named_modules()}
    daformer.iterate(daformer.batch())
    hooks = [len(m._forward_hooks) for m in daformer.model.modules()]
    record(daformer)
    assert [len(m._forward_hooks) for m in daformer.model.modules()] == hooks
    for name, module in daformer.model.named_modules():
        assert set(vars(module)) == set(before[name])
    assert 'predict' not in vars(daformer.model.labeller)


def test_what_takes_more_than_tensors_is_no_network():
    layer, image = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    assert is_network(layer, (image, ), {})
    assert is_network(layer, ((image, image), ), {})
    assert not is_network(layer, (image, layer), {})
    assert not is_network(torch.nn.ReLU(), (image, ), {})

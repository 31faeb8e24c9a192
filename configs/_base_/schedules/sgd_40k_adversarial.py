# And Adam for the discriminator of the objective `adversarial`, with a decay of its own.
_base_ = 'sgd_40k.py'
optim_wrapper = dict(
    objectives=dict(
        adversarial=dict(
            optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99)))))
param_scheduler = dict(
    _delete_=True,
    student=_base_.param_scheduler,
    adversarial=[
        dict(
            type='PolyLR',
            eta_min=0.,
            power=0.9,
            by_epoch=False,
            begin=0,
            end=_base_.max_iters + 1),
    ])

# MIC of the digits benchmark, and one objective more.
_base_ = '../../../configs/cls/digits/mic_tiny-resnet_1xb32-400_optdigits_mnist5k.py'
custom_imports = dict(
    imports=['projects.own_objective.information_maximization'])

model = dict(
    objectives=dict(
        information=dict(
            type='InformationMaximization', weight=0.1, begin=150)))
